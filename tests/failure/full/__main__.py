"""Play the full set of faults and print its table: `python -m tests.failure.full --help`.

It takes about half an hour for both transports on two idle cores. Every chance comes from the seed; what the
machine adds by its speed does not.
"""

import argparse
import asyncio
import random
import sys
import traceback
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from bench.machine import spin
from deploy.cluster.place import database_folder
from deploy.marked import put_between
from tests.failure.full.again import read_again
from tests.failure.full.disk import NoMount, full_disk, small_disk
from tests.failure.full.faults import broker_away, broker_silent, database_away, kills, points, storm
from tests.failure.full.poison import poison
from tests.failure.full.row import BEGIN, END, Row, table
from tests.failure.full.run import Run
from tests.failure.full.two_relays import two_relays
from tests.failure.places.cluster import Transport, open_cluster
from tests.failure.places.place import AWAY
from tests.failure.scripts import STEADY_PLAYS, routine

PARTS = ("points", "kills", "outages", "poison", "disk")
_STEADY: Mapping[str, Any] = {"plays": STEADY_PLAYS, "lanes": 8}
_MEGABYTES = {"kafka": 400, "postgres": 700}


async def play(wanted: argparse.Namespace) -> list[Row]:
    """Play what is wanted, each part on a fresh cluster."""
    rows: list[Row] = []
    for transport in wanted.transport:
        for part in wanted.only:
            before = spin()
            try:
                await _PLAYED[part](transport, wanted, rows)
            except NoMount as error:
                print(f"{transport}: no {part}: {error}", flush=True)  # noqa: T201
            except (AssertionError, RuntimeError, *AWAY):
                traceback.print_exc()
                rows.append(Row(transport=transport, fault=part, injected=0, findings=["broken off"]))
            print(f"{transport}: {part} done, spin {before:.1f} and {spin():.1f} ms", flush=True)  # noqa: T201
    return rows


@asynccontextmanager
async def _run(
    transport: Transport,
    wanted: argparse.Namespace,
    rows: list[Row],
    *,
    replicas: int = 2,
    disk: Callable[[Path], AbstractContextManager[object]] = nullcontext,
) -> AsyncIterator[Run]:
    async with open_cluster(transport, replicas=replicas, durable=True, disk=disk) as place:
        await place.ready()
        yield Run(place, seed=wanted.seed, rows=rows)


async def _points(transport: Transport, wanted: argparse.Namespace, rows: list[Row]) -> None:
    # One of each: where another leads or reads instead, a process does not come to the point again.
    async with _run(transport, wanted, rows, replicas=1) as run:
        await run.under("each process killed at each of its named points", points(), steps=2)


async def _kills(transport: Transport, wanted: argparse.Namespace, rows: list[Row]) -> None:
    async with _run(transport, wanted, rows) as run:
        await run.under(f"kill -9 of single processes, {wanted.kills} times", kills(wanted.kills), lanes=6)
        await run.under("a worker killed every 2 s for 60 s", storm(60))


async def _outages(transport: Transport, wanted: argparse.Namespace, rows: list[Row]) -> None:
    away, steady = wanted.outage, _STEADY
    async with _run(transport, wanted, rows) as run:
        await run.under("two relays at once, the old one sends late", two_relays(10))
        if transport == "kafka":
            await run.under(f"broker killed, away {away:g} s", broker_away(away), **steady)
            await run.under(f"broker silent for {away:g} s", broker_silent(away), **steady)
        await run.under(f"PostgreSQL killed, away {away:g} s", database_away(away), **steady)
        await run.under("all topics read again from their first record", read_again(1))


async def _poison(transport: Transport, wanted: argparse.Namespace, rows: list[Row]) -> None:
    async with _run(transport, wanted, rows) as run:
        name = f"bad events of six kinds among {wanted.events:,}"
        await run.under(name, poison(wanted.events), plays={routine: 1}, lanes=4, pause=0.5)


async def _disk(transport: Transport, wanted: argparse.Namespace, rows: list[Row]) -> None:
    stores = ("kafka", "postgres") if transport == "kafka" else ("postgres",)
    for store in stores:
        disk = partial(_small_disk, store=store)
        async with _run(transport, wanted, rows, disk=disk) as run:
            folder = _folder(store, run.place.cluster.data)
            name = f"disk of {store} full for {wanted.outage:g} s"
            await run.under(name, full_disk(store, folder, wanted.outage), **_STEADY)


def _small_disk(cluster: Path, *, store: str) -> AbstractContextManager[None]:
    return small_disk(_folder(store, cluster), megabytes=_MEGABYTES[store])


def _folder(store: str, cluster: Path) -> Path:
    return cluster / "kafka" if store == "kafka" else database_folder(cluster)


_PLAYED = {"points": _points, "kills": _kills, "outages": _outages, "poison": _poison, "disk": _disk}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the status says whether the auditor found anything."""
    wanted = _parser().parse_args(arguments)
    wanted.seed = wanted.seed or random.SystemRandom().randrange(1, 1_000_000)
    begun = datetime.now(UTC)
    print(f"seed {wanted.seed}", flush=True)  # noqa: T201
    rows = asyncio.run(play(wanted))
    text = "\n\n".join((_caption(wanted, begun, rows), table(rows)))
    print(text)  # noqa: T201
    if wanted.write is not None:
        _write(wanted.write, text)
    return int(any(row.findings for row in rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.failure.full")
    parser.add_argument(
        "--transport", nargs="+", choices=("kafka", "postgres"), default=["kafka", "postgres"]
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--kills", type=int, default=500, help="on each transport")
    parser.add_argument("--events", type=int, default=10_000, help="among which the bad ones come")
    parser.add_argument("--outage", type=float, default=30.0, help="seconds for which something is away")
    parser.add_argument("--seed", type=int, default=0, help="0 for any; the seed is printed")
    parser.add_argument("--write", type=Path, help="a page between whose two marks the table is put")
    return parser


def _caption(wanted: argparse.Namespace, begun: datetime, rows: Sequence[Row]) -> str:
    minutes = (datetime.now(UTC) - begun).total_seconds() / 60
    found = sum(len(row.findings) for row in rows)
    return (
        f"{begun:%Y-%m-%d}, seed {wanted.seed}, {minutes:.0f} minutes, a fixed loop of Python took"
        f" {spin():.1f} ms at the end; {sum(row.operations for row in rows):,} operations,"
        f" {sum(row.injected for row in rows):,} faults, {found} findings."
    )


def _write(page: Path, text: str) -> None:
    written = put_between(page.read_text("utf-8"), f"\n{text}\n\n", begin=BEGIN, end=END)
    page.write_text(written, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
