"""The figures of a process: requests by route template, what workers have left to do, databases, the process.

Invariants:
- A label is a service, a method, a route template, a status, a topic or a word of a closed table: never an
  id, never a text. tests/journeys/test_figures.py lists every label value after the twelve stories.
- What stands in a database is read when somebody asks, by `read` and nowhere else.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from shared.telemetry import collecting, process
from shared.telemetry.tally import Count, Level, Timing

_AWAY = (OSError, TimeoutError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Standing(Protocol):
    """What a worker has left to do (shared.events.worker_status.WorkerStatus); ages in seconds."""

    @property
    def outbox(self) -> int: ...
    @property
    def outbox_age(self) -> float: ...
    @property
    def leads(self) -> bool: ...
    @property
    def lag(self) -> Mapping[str, int] | None: ...
    @property
    def in_hand_age(self) -> float: ...
    @property
    def held(self) -> Mapping[str, tuple[int, float]]: ...
    @property
    def timers_due(self) -> int: ...
    @property
    def timers_late(self) -> float: ...
    @property
    def failing(self) -> Mapping[str, int]: ...


class HasStanding(Protocol):
    """A worker that tells what it has left to do."""

    async def read_status(self) -> Standing: ...


class Pool(Protocol):
    """A database's connections as shared.db counts them."""

    name: str

    def connections(self) -> Mapping[str, int]:
        """Tell how many connections are in each state (`idle`, `used`)."""
        ...

    @property
    def most_connections(self) -> int: ...

    async def answers(self) -> bool:
        """Tell whether the database answers now."""
        ...


_REQUESTS = Timing(
    "http.server.request.duration",
    description="Time to the answer",
    labels=("service", "http.request.method", "http.route", "http.response.status_code"),
)


def _level(name: str, description: str, *labels: str, unit: str = "") -> Level:
    return Level(name, unit=unit, description=description, labels=("service", *labels))


_OUTBOX = _level("lumbar.outbox.rows", "Events not yet handed to the transport")
_OUTBOX_AGE = _level("lumbar.outbox.oldest.age", "Age of the oldest event in the outbox", unit="s")
_LEADS = _level("lumbar.relay.leading", "1 where this process leads its service's relay")
_LAG = _level("lumbar.consumer.lag", "Records of a topic not yet handled", "topic")
_IN_HAND = _level("lumbar.consumer.in_hand.age", "Age of the oldest event of the batch in hand", unit="s")
_HELD = _level("lumbar.held.keys", "Patients whose events are held", "state")
_HELD_AGE = _level("lumbar.held.oldest.age", "How long the longest held key waits", "state", unit="s")
_TIMERS = _level("lumbar.timers.due", "Timers that are due and not fired")
_TIMERS_LATE = _level("lumbar.timers.oldest.lateness", "Care time since the oldest timer was due", unit="s")
_FAILING = _level(
    "lumbar.worker.loop.failing", "Failures in a row of a worker's loop, 0 while it works", "loop"
)
_READABLE = _level("lumbar.worker.readable", "0 where a worker's figures could not be read and are old")
_REACHABLE = _level("lumbar.database.reachable", "0 where a service's database does not answer")
_POOL = Level(
    "db.client.connection.count",
    unit="{connection}",
    description="Connections to a database",
    labels=("db.client.connection.pool.name", "db.client.connection.state"),
)
_POOL_MOST = Level(
    "db.client.connection.max",
    unit="{connection}",
    description="The most connections that may be open",
    labels=("db.client.connection.pool.name",),
)
TELEMETRY = Count(
    "lumbar.telemetry.exports",
    unit="{export}",
    description="Exports by OTLP, by signal and outcome",
    labels=("signal", "outcome"),
)


def request_answered(*, service: str, method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request; `route` is the template."""
    _REQUESTS.record(seconds, service, method, route, str(status))


async def read(workers: Mapping[str, HasStanding], databases: Iterable[Pool] = ()) -> None:
    """Read what workers (by service name) and databases say now.

    Where a worker's database or transport does not answer, its last figures stay and `lumbar_worker_readable`
    is 0.
    """
    process.read()
    for database in databases:
        _REACHABLE.set(int(await database.answers()), database.name)
        _POOL_MOST.set(database.most_connections, database.name)
        for state, number in database.connections().items():
            _POOL.set(number, database.name, state)
    for service, worker in workers.items():
        try:
            standing = await worker.read_status()
            _worker_read(service, standing)
            _READABLE.set(int(standing.lag is not None), service)
        except _AWAY:
            _READABLE.set(0, service)
            _LEADS.set(0, service)


async def exposition(workers: Mapping[str, HasStanding], databases: Iterable[Pool] = ()) -> bytes:
    """Read everything and write every series in Prometheus' text format."""
    await read(workers, databases)
    return collecting.exposition()


def _worker_read(service: str, found: Standing) -> None:
    _OUTBOX.set(found.outbox, service)
    _OUTBOX_AGE.set(found.outbox_age, service)
    _LEADS.set(int(found.leads), service)
    _IN_HAND.set(found.in_hand_age, service)
    _TIMERS.set(found.timers_due, service)
    _TIMERS_LATE.set(found.timers_late, service)
    for topic, records in (found.lag or {}).items():
        _LAG.set(records, service, topic)
    for state, (keys, age) in found.held.items():
        _HELD.set(keys, service, state)
        _HELD_AGE.set(age, service, state)
    for loop, failures in found.failing.items():
        _FAILING.set(failures, service, loop)
