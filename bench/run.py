"""`python -m bench run`: measure the rows one after the other in clinics of their own, and print them."""

from collections.abc import AsyncIterator, Sequence

from bench.ingest import ingest
from bench.main_path import main_path
from bench.results import TARGETS, Result, keep
from bench.running import running_clinic

ROWS = tuple(TARGETS)


async def run(transport: str, *, quick: bool, rows: Sequence[str] | None, kept: bool) -> None:
    """Measure and print, and keep the figures where asked."""
    wanted = set(rows or ROWS)
    transports = ("embedded", "kafka") if transport == "both" else (transport,)
    found = []
    for one in transports:
        async for result in _measured(one, wanted, quick=quick):
            print(_line(result), flush=True)
            found.append(result)
    if kept:
        keep(found)


async def _measured(transport: str, wanted: set[str], *, quick: bool) -> AsyncIterator[Result]:
    if wanted & {"main_path", "cpu_per_referral"}:
        with running_clinic() as clinic:
            for result in await main_path(clinic, transport=transport, quick=quick):
                yield result
    if "ingest" in wanted and transport == "embedded":
        with running_clinic(module="bench.api_only") as clinic:
            for result in await ingest(clinic, quick=quick):
                yield result


def _line(result: Result) -> str:
    beside = f" floor {result.floor:g}, ratio {result.ratio:.1%}" if result.ratio is not None else ""
    more = ", ".join(f"{name} {value}" for name, value in result.details.items())
    return (
        f"{result.row:17s} {result.transport:9s} {result.value:10g} {result.unit:4s}{beside}"
        f" [{result.reached}] spin {result.spin} ms; {more}"
    )
