"""`lumbar up` that counts and samples itself: `python -m bench.instrumented DATA CLINIC PORT`.

It reads commands from its standard input, one a line, and answers with one line of JSON: `report` gives what
was counted since the last `forget`, `forget` begins anew. The clinic runs in the main thread, as always.
"""

import json
import sys
import threading
from pathlib import Path

from bench import counting, sampling
from deploy import up
from deploy.settings import Settings
from shared.clinic import load_clinic


def main(data: str, clinic: str, port: str) -> None:
    """Run until told to stop."""
    counting.install()
    sampling.install()
    threading.Thread(target=_answer, daemon=True).start()
    up.run(
        Settings(), load_clinic(Path(clinic)), data=Path(data), port=int(port), ready=lambda url: _say(url)
    )


def _answer() -> None:
    for line in sys.stdin:
        if line.strip() == "forget":
            counting.trips.clear()
            sampling.forget()
            _say(json.dumps({}))
        elif line.strip() == "report":
            _say(json.dumps(_report()))


def _report() -> dict[str, object]:
    return {
        "trips": [[label, text, count] for (label, text), count in counting.trips.items()],
        "labels": dict(sampling.by_label),
        "own": [[label, name, count] for (label, name), count in sampling.own.most_common(4000)],
        "below": [[label, name, count] for (label, name), count in sampling.below.most_common(8000)],
        "packages": [[label, name, count] for (label, name), count in sampling.packages.items()],
        "worth": sampling.worth(),
    }


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
