"""`python -m bench profile | run`: see docs/performance.md."""

import argparse
import asyncio

from bench import run
from bench.profile import profile


def main() -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    profiling = commands.add_parser("profile", help="what one referral costs, and where")
    profiling.add_argument("--count", type=int, default=200)
    profiling.add_argument("--connections", type=int, default=8)
    profiling.add_argument("--top", type=int, default=15)
    running = commands.add_parser("run", help="measure every row beside its floor")
    running.add_argument("--transport", choices=("embedded", "kafka", "both"), default="both")
    running.add_argument("--quick", action="store_true", help="shorter rounds, less certain")
    running.add_argument("--row", action="append", choices=run.ROWS, help="only this row; may be repeated")
    running.add_argument("--keep", action="store_true", help="write bench/latest.json and the page's table")
    given = parser.parse_args()
    if given.command == "profile":
        asyncio.run(profile(given.count, connections=given.connections, top=given.top))
    else:
        asyncio.run(run.run(given.transport, quick=given.quick, rows=given.row, kept=given.keep))


if __name__ == "__main__":
    main()
