"""`lumbar up` without its workers, for the ingest alone: `python -m bench.api_only DATA CLINIC PORT`."""

import sys
from pathlib import Path

from deploy import composition, up
from deploy.settings import Settings
from shared.clinic import load_clinic


def main(data: str, clinic: str, port: str) -> None:
    """Serve until told to stop."""
    vars(composition)["make_workers"] = lambda *_, **__: {}
    up.run(Settings(), load_clinic(Path(clinic)), data=Path(data), port=int(port), ready=_say)


def _say(url: str) -> None:
    sys.stdout.write(url + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
