"""`python -m bench profile`: see docs/performance.md."""

import argparse
import asyncio

from bench.profile import profile


def main() -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    profiling = commands.add_parser("profile", help="what one referral costs, and where")
    profiling.add_argument("--count", type=int, default=200)
    profiling.add_argument("--connections", type=int, default=8)
    profiling.add_argument("--top", type=int, default=15)
    given = parser.parse_args()
    if given.command == "profile":
        asyncio.run(profile(given.count, connections=given.connections, top=given.top))


if __name__ == "__main__":
    main()
