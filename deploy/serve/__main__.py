"""`python -m deploy.serve PART`: what `lumbar serve` does, without importing the other commands.

A machine that starts many processes at once waits for little else than imports.
"""

import argparse
import sys

from deploy.serve.command import serve_part
from shared.errors import OneLine


def main() -> int:
    """Run one process; what is wrong with the surroundings is one line and exit status 2."""
    parser = argparse.ArgumentParser(prog="python -m deploy.serve")
    parser.add_argument("part")
    parser.add_argument("--role", default=None)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--host", default="127.0.0.1")
    given = parser.parse_args()
    try:
        serve_part(given.part, role=given.role, port=given.port, host=given.host)
    except OneLine as error:
        sys.stderr.write(f"lumbar: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
