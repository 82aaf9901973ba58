"""`python -m bench` profile, run, search, booking, reminders, series, plan, pages, check: performance.md."""

import argparse
import asyncio
import sys

from bench import booking, counters, pages, planning, reminders, run, searching, series
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
    running.add_argument("--transport", choices=(*run.TRANSPORTS, "both"), default="both")
    running.add_argument("--quick", action="store_true", help="shorter rounds, less certain")
    running.add_argument("--row", action="append", choices=run.ROWS, help="only this row; may be repeated")
    running.add_argument("--keep", action="store_true", help="write bench/latest.json and the page's table")
    commands.add_parser("search", help="searches of 10,000 and of 1,000,000 referrals")
    commands.add_parser("booking", help="finding and booking times in a clinic of a hundred clinicians")
    commands.add_parser("reminders", help="a morning's reminders of ten thousand patients")
    commands.add_parser("series", help="forty sessions of four disciplines in calendars that are 80%% full")
    commands.add_parser("pages", help="each page's calls, bytes, and time beside that of its calls")
    planned = commands.add_parser("plan", help="the plan of an evening, the forecast, three drawn clinics")
    planned.add_argument("--write", action="store_true", help="record the shares from now on")
    checking = commands.add_parser("check", help="gate the numbers that no machine changes")
    checking.add_argument("--write", action="store_true", help="record what is found from now on")
    given = parser.parse_args()
    if given.command == "profile":
        asyncio.run(profile(given.count, connections=given.connections, top=given.top))
    elif given.command == "search":
        sys.exit(searching.main())
    elif given.command == "booking":
        sys.exit(booking.main())
    elif given.command == "reminders":
        sys.exit(reminders.main())
    elif given.command == "series":
        sys.exit(series.main())
    elif given.command == "plan":
        sys.exit(planning.main(write=given.write))
    elif given.command == "pages":
        _pages()
    elif given.command == "check":
        sys.exit(_check(write=given.write))
    else:
        asyncio.run(run.run(given.transport, quick=given.quick, rows=given.row, kept=given.keep))


def _check(*, write: bool) -> int:
    """Print the figures beside what is recorded; 1 where one rose."""
    found, labels = asyncio.run(counters.measure())
    if write:
        counters.record(found)
    known = counters.recorded()
    for label, count in sorted(labels.items(), key=lambda one: -one[1]):
        print(f"  {count:9.2f} round trips  {label}")
    for name, value in found.items():
        print(f"{name:20s} {value:10g}  recorded {known.get(name, 0):10g}")
    wrong = counters.risen(found, known)
    print("\n".join(wrong) or "nothing rose")
    return 1 if wrong else 0


def _pages() -> None:
    """Print the table of docs/performance.md."""
    print("| Party | Page | Calls | Bytes | Compressed | Time | Ratio |")
    print("|---|---|---|---|---|---|---|")
    for cost in asyncio.run(pages.measure()):
        sizes = f"{cost.calls} | {cost.html:,} | {cost.compressed:,}"
        print(f"| {cost.party} | `{cost.page}` | {sizes} | {cost.took:.1f} ms | {cost.ratio:.2f} |")


if __name__ == "__main__":
    main()
