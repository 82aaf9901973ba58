"""`python -m bench run`: measure the rows one after the other in clinics of their own, and print them."""

import json
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import page
from bench.ingest import ingest
from bench.latency import at_ease, burst, latency
from bench.main_path import main_path
from bench.reading import inquire, read
from bench.results import TARGETS, Result, against_floor, keep
from bench.running import RunningClinic, lines_of, running_clinic
from bench.separate import SEPARATE, separate_clinic
from bench.standing import STORED, memory_after, standing
from deploy.kafka import LocalKafka

ROWS = tuple(TARGETS)
TRANSPORTS = ("embedded", "kafka", SEPARATE)
_HOP_EVENTS, _HOP_ROUNDS = 10_000, 7


async def run(transport: str, *, quick: bool, rows: Sequence[str] | None, kept: bool) -> None:
    """Measure and print, and keep the figures where asked."""
    wanted = set(rows or ROWS)
    found = []
    for one in TRANSPORTS if transport == "both" else (transport,):
        measured = _separately if one == SEPARATE else _measured
        async for result in measured(one, wanted, quick=quick):
            print(_line(result), flush=True)
            found.append(result)
    if kept:
        keep(found)
        page.write_figures()


async def _separately(transport: str, wanted: set[str], *, quick: bool) -> AsyncIterator[Result]:
    """Measure the main path in processes of their own; the other rows say nothing more there."""
    if wanted & {"main_path", "cpu_per_referral"}:
        with separate_clinic() as clinic:
            for result in await main_path(clinic, transport=transport, quick=quick):
                yield result


async def _measured(transport: str, wanted: set[str], *, quick: bool) -> AsyncIterator[Result]:
    with broker(transport) as kafka:
        maximum = None
        if wanted & {"main_path", "cpu_per_referral"}:
            with clinic_on(kafka) as clinic:
                for result in await main_path(clinic, transport=transport, quick=quick):
                    maximum = maximum or result.value
                    yield result
        if "latency_p99" in wanted:
            with clinic_on(kafka) as clinic:
                for result in await latency(clinic, transport=transport, quick=quick, maximum=maximum):
                    yield result
        if "cpu_at_ease" in wanted:
            with clinic_on(kafka) as clinic:
                for result in await at_ease(clinic, transport=transport, quick=quick):
                    yield result
        if "burst_drain" in wanted:
            with clinic_on(kafka) as clinic:
                for result in await burst(clinic, transport=transport, maximum=maximum):
                    yield result
    if "hop" in wanted:
        yield await _hop(transport, quick=quick)
    if transport == "embedded":
        async for result in _without_events(wanted, quick=quick):
            yield result


async def _without_events(wanted: set[str], *, quick: bool) -> AsyncIterator[Result]:
    """Measure what no transport has a part in."""
    for row, measure in (("ingest", ingest), ("read", read), ("inquire", inquire)):
        if row in wanted:
            with running_clinic("bench.api_only") as clinic:
                for result in await measure(clinic, quick=quick):
                    yield result
    if wanted & {"start", "memory_idle", "cpu_idle"}:
        for result in await standing(transport="embedded"):
            yield result
    if "memory_after" in wanted:
        with running_clinic() as clinic:
            for result in await memory_after(clinic, stored=STORED // 10 if quick else STORED):
                yield result


async def _hop(transport: str, *, quick: bool) -> Result:
    events, rounds = (_HOP_EVENTS // 2, 3) if quick else (_HOP_EVENTS, _HOP_ROUNDS)
    found = [json.loads(line) for line in await lines_of("bench.hop", transport, str(events), str(rounds))]
    pairs = [(one["hop"], one["floor"]) for one in found]
    return against_floor("hop", transport, pairs, spins=[one["spin"] for one in found], events=events)


@contextmanager
def broker(transport: str) -> Iterator[LocalKafka | None]:
    """Run a broker for the block where the transport needs one."""
    if transport == "embedded":
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="lumbar-kafka-") as folder:
        kafka = LocalKafka.start(Path(folder))
        try:
            yield kafka
        finally:
            kafka.stop()


@contextmanager
def clinic_on(kafka: LocalKafka | None) -> Iterator[RunningClinic]:
    """Start a clinic from nothing, all in one process, on either transport."""
    if kafka is None:
        with running_clinic() as clinic:
            yield clinic
    else:
        with running_clinic("bench.kafka_up", kafka.bootstrap, broker=kafka.process.pid) as clinic:
            yield clinic


def _line(result: Result) -> str:
    beside = f" floor {result.floor:g}, ratio {result.ratio:.1%}" if result.ratio is not None else ""
    more = ", ".join(f"{name} {value}" for name, value in result.details.items())
    return (
        f"{result.row:17s} {result.transport:9s} {result.value:10g} {result.unit:4s}{beside}"
        f" [{result.reached}] spin {result.spin} ms; {more}"
    )
