"""What a referral costs in numbers that no machine changes: `python -m bench check`.

The main path is walked step by step in this process: all POSTs, then every relay, consumer and loop until
nothing is left, with no task that polls and with care time that stands still. So the same code gives the same
numbers, and `bench/counters.json` can hold them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import httpx

from bench import counting
from bench.clinic import write_clinic
from bench.referrals import bodies
from bench.rest import Databases
from bench.stepping import walk
from deploy.composition import EmbeddedClinic, embedded_clinic
from deploy.embedded import EmbeddedPostgres
from deploy.folders import keys_folder
from shared.auth.assertion import fetch_token
from shared.clinic import Clinic, load_clinic
from shared.clock import SimulatedClock
from shared.fhir import check
from shared.ids import new_text_id

RECORDED = Path(__file__).with_name("counters.json")
REFERRALS = 20
# How far a number may rise above what is recorded. Rows are exact; a round trip more or less in the whole run
# is nobody's fault; bytes hold times and ids.
TOLERANCES = {
    "round_trips_post": 0.01,
    "round_trips_events": 0.01,
    "rows": 0.0,
    "row_bytes": 0.02,
    "event_log_bytes": 0.02,
    "wal_bytes": 0.05,
}
URL = "http://clinic.test"
MONDAY = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
_WARM = 10

_LOOK_AGAIN = (
    "transport.group_reader",
    "transport.postgres_log",
    "outbox.watermark",
    "outbox.leader_election",
)

Figures = Mapping[str, float]


async def measure() -> tuple[Figures, Figures]:
    """Walk the main path for some referrals, and give figures and round trips by label, per referral."""
    counting.install()
    counting.LABEL.set(counting.WATCHING)
    with served() as (server, clinic):
        clock = SimulatedClock(MONDAY)
        async with embedded_clinic(server, clinic, clock=clock, base_url=URL) as put_together:
            return await _measure(put_together, server)


def risen(found: Figures, recorded: Figures) -> list[str]:
    """Tell in one line for each figure that rose beyond its tolerance, or that is not recorded."""
    return [
        f"{name}: {value:g} per referral, recorded are {recorded.get(name, 0):g} + {TOLERANCES[name]:.0%}"
        for name, value in found.items()
        if value > recorded.get(name, 0) * (1 + TOLERANCES[name]) + 1e-9
    ]


def recorded() -> Figures:
    """Read what is recorded."""
    figures: Figures = json.loads(RECORDED.read_text())
    return figures


def record(found: Figures) -> None:
    """Record these figures from now on."""
    RECORDED.write_text(json.dumps(dict(found), indent=2) + "\n")


@contextmanager
def served() -> Iterator[tuple[EmbeddedPostgres, Clinic]]:
    """Start a server for a clinic, for the duration of the block."""
    with TemporaryDirectory(prefix="lumbar-check-") as made:
        folder = Path(made)
        folder.chmod(0o711)
        clinic = load_clinic(write_clinic(folder / "clinic.yaml"))
        server = EmbeddedPostgres.start(folder / "data", durable=False)
        check.warm()
        try:
            yield server, clinic
        finally:
            check.close()
            server.stop()


@contextmanager
def _time_stands() -> Iterator[None]:
    """Let nothing look again because time has passed, as it would on a slow machine."""
    with ExitStack() as patches:
        for room in _LOOK_AGAIN:
            patches.enter_context(patch(f"shared.events.{room}.monotonic", lambda: 0.0))
        yield


async def _measure(put_together: EmbeddedClinic, server: EmbeddedPostgres) -> tuple[Figures, Figures]:
    databases = await Databases.at(server.url)
    transport = httpx.ASGITransport(app=put_together.app)
    async with httpx.AsyncClient(transport=transport, base_url=URL) as http:
        token = await fetch_token(URL, "family-practice", keys_folder(server.data), http=http)
        http.headers["authorization"] = f"Bearer {token}"
        http.headers["content-type"] = "application/fhir+json"
        workers = list(put_together.workers.values())
        await _send(http, range(_WARM))
        await walk(workers, databases)
        before, wal = await databases.sizes(), await databases.wal()
        counting.trips.clear()
        with _time_stands():
            await _send(http, range(_WARM, _WARM + REFERRALS))
            await walk(workers, databases)
    labels = {label: count / REFERRALS for label, count in counting.by_label().items()}
    after, written = await databases.sizes(), await databases.wal() - wal
    await databases.close()
    return _figures(labels, before, after, written), labels


def _figures(
    labels: Mapping[str, float],
    before: Mapping[str, tuple[int, int]],
    after: Mapping[str, tuple[int, int]],
    wal: int,
) -> Figures:
    posts = sum(count for label, count in labels.items() if label.startswith("POST "))
    return {
        "round_trips_post": round(posts, 3),
        "round_trips_events": round(sum(labels.values()) - posts, 3),
        "rows": _grown(before, after, after, place=0),
        "row_bytes": _grown(before, after, after, place=1),
        "event_log_bytes": _grown(before, after, [one for one in after if "event_log" in one], place=1),
        "wal_bytes": round(wal / REFERRALS, 1),
    }


def _grown(
    before: Mapping[str, tuple[int, int]],
    after: Mapping[str, tuple[int, int]],
    tables: Iterable[str],
    *,
    place: int,
) -> float:
    return round(sum(after[table][place] - before[table][place] for table in tables) / REFERRALS, 2)


async def _send(http: httpx.AsyncClient, numbers: range) -> None:
    for body in bodies(numbers, at=MONDAY):
        answer = await http.post("/referral/fhir", content=body, headers={"idempotency-key": new_text_id()})
        answer.raise_for_status()
