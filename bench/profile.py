"""`python -m bench profile`: what one referral costs, and where."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from bench import machine
from bench.rest import Databases
from bench.running import RunningClinic, running_clinic

_WARM = 40
_WORTH_SHOWING = 0.3


async def profile(count: int, *, connections: int, top: int) -> None:
    """Send referrals to a clinic as it is, then to an instrumented one, and print what each cost."""
    with running_clinic() as clinic:
        await _plain(clinic, count, connections=connections)
    with running_clinic("bench.instrumented") as clinic:
        await _instrumented(clinic, count, connections=connections, top=top)


async def _plain(clinic: RunningClinic, count: int, *, connections: int) -> None:
    databases = await Databases.of(clinic)
    await clinic.post(_WARM, connections=connections)
    await databases.rest(total=_WARM, within=120)
    sizes, wal, cpu, logged = await databases.sizes(), await databases.wal(), clinic.cpu(), clinic.log_bytes()
    spin = machine.spin()
    sent = await clinic.post(count, connections=connections)
    ended = await databases.rest(total=_WARM + count, within=30 + count)
    used, written = clinic.cpu(), await databases.wal() - wal
    each = {name: (seconds - cpu[name]) / count * 1000 for name, seconds in used.items()}
    print(f"\n# {count} referrals over {connections} connections, not instrumented; spin {spin:.1f} ms")
    print(f"  until all are at rest {count / (ended - sent['begun']):8.1f} referrals/s")
    print(f"  answered              {count / (sent['ended'] - sent['begun']):8.1f} /s while the rest runs")
    print(f"  CPU                   {each['python']:8.2f} ms Python, {each['postgres']:.2f} ms PostgreSQL")
    print(f"  WAL                   {written / count:8.0f} bytes per referral")
    print(f"  logged                {(clinic.log_bytes() - logged) / count:8.0f} bytes per referral")
    _print_sizes(sizes, await databases.sizes(), count)
    await databases.close()


def _print_sizes(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]], count: int) -> None:
    grown = {
        table: ((rows - before[table][0]) / count, (size - before[table][1]) / count)
        for table, (rows, size) in after.items()
        if size != before[table][1]
    }
    rows, size = (sum(figures[place] for figures in grown.values()) for place in (0, 1))
    print(f"  rows                  {rows:8.1f} per referral, {size:.0f} bytes in them:")
    for table, (number, width) in sorted(grown.items(), key=lambda one: -one[1][1]):
        print(f"      {table:38s} {number:6.2f} rows {width:8.0f} bytes")


async def _instrumented(clinic: RunningClinic, count: int, *, connections: int, top: int) -> None:
    databases = await Databases.of(clinic)
    await clinic.post(_WARM, connections=connections)
    await databases.rest(total=_WARM, within=120)
    clinic.ask("forget")
    await clinic.post(count, connections=connections)
    await databases.rest(total=_WARM + count, within=60 + count)
    report = clinic.ask("report")
    await databases.close()
    _print_labels(report, count)
    _print_trips(report["trips"], count, top=top)
    _print_functions(report, count, top=top)


def _print_labels(report: dict[str, Any], count: int) -> None:
    trips: Counter[str] = Counter()
    for label, _, number in report["trips"]:
        trips[label] += number
    samples, worth = report["labels"], report["worth"] / count
    print("\n# Per referral: CPU of the Python process (sampled, ms) and round trips to PostgreSQL")
    for label in sorted({*trips, *samples}, key=lambda one: -samples.get(one, 0)):
        print(f"  {samples.get(label, 0) * worth:7.2f} ms {trips[label] / count:8.2f} trips   {label}")
    print(f"  {sum(samples.values()) * worth:7.2f} ms {sum(trips.values()) / count:8.2f} trips   all")


def _print_trips(trips: Iterable[Any], count: int, *, top: int) -> None:
    print("\n# The statements, by command")
    by_label: dict[str, list[tuple[float, str]]] = {}
    for label, text, number in trips:
        by_label.setdefault(label, []).append((number / count, text))
    for label, statements in sorted(by_label.items(), key=lambda one: -sum(n for n, _ in one[1])):
        print(f"\n## {label}: {sum(number for number, _ in statements):.2f} round trips")
        for number, text in sorted(statements, reverse=True)[:top]:
            print(f"  {number:6.2f}  {text[:150]}")


def _print_functions(report: dict[str, Any], count: int, *, top: int) -> None:
    worth = report["worth"] / count
    print(
        "\n# Functions, ms of CPU per referral (sampled; what SQLAlchemy runs in a greenlet hides its caller)"
    )
    for title, table in (("by package", "packages"), ("itself", "own"), ("with what it calls", "below")):
        by_label: dict[str, Counter[str]] = {"everything": Counter()}
        for label, name, number in report[table]:
            by_label["everything"][name] += number
            by_label.setdefault(label, Counter())[name] += number
        for label in sorted(by_label, key=lambda one: -report["labels"].get(one, 1e9)):
            if report["labels"].get(label, 1e9) * worth < _WORTH_SHOWING:
                continue
            print(f"\n## {label}, {title}")
            for name, number in by_label[label].most_common(top):
                print(f"  {number * worth:7.2f}  {name}")
