"""The figures of a process: requests by route template, what workers have left to do, databases, the process.

Invariants:
- A label is a service, a method, a route template, a status, a topic or a word of a closed table: never an
  id, never a text. tests/journeys/test_figures.py lists every label value after the twelve stories.
- What stands in a database is read when somebody asks for the figures, by `exposition` and nowhere else.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

import asyncpg
from prometheus_client import Gauge, Histogram, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from shared.telemetry.process import ProcessFigures
from shared.telemetry.registry import REGISTRY, SECONDS

if TYPE_CHECKING:
    from shared.events.worker_status import WorkerStatus

_AWAY = (OSError, TimeoutError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError)


METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"))


class ReportsStatus(Protocol):
    """A worker that says what it has left to do."""

    async def read_status(self) -> "WorkerStatus": ...


class WatchedDatabase(Protocol):
    """A database that says whether it answers, and how many of its connections are in each state."""

    name: str

    @property
    def max_connections(self) -> int: ...

    def connections(self) -> Mapping[str, int]: ...

    async def ping(self) -> bool: ...


REGISTRY.register(ProcessFigures())


def _gauge(name: str, text: str, *labels: str) -> Gauge:
    return Gauge(name, text, ["service", *labels], registry=REGISTRY)


_REQUESTS = Histogram(
    "http_server_request_duration_seconds",
    "Time to the answer",
    ["service", "http_request_method", "http_route", "http_response_status_code"],
    buckets=SECONDS,
    registry=REGISTRY,
)
_OUTBOX = _gauge("lumbar_outbox_rows", "Events not yet handed to the transport")
_OUTBOX_AGE = _gauge("lumbar_outbox_oldest_age_seconds", "Age of the oldest event in the outbox")
_LEADS = _gauge("lumbar_relay_leading", "1 where this process leads its service's relay")
_LAG = _gauge("lumbar_consumer_lag", "Records of a topic not yet handled", "topic")
_IN_HAND = _gauge("lumbar_consumer_in_hand_age_seconds", "Age of the oldest event of the batch in hand")
_HELD = _gauge("lumbar_held_keys", "Patients whose events are held", "state")
_HELD_AGE = _gauge("lumbar_held_oldest_age_seconds", "How long the longest held key waits", "state")
_TIMERS = _gauge("lumbar_timers_due", "Timers that are due and not fired")
_TIMERS_LATE = _gauge("lumbar_timers_oldest_lateness_seconds", "Care time since the oldest timer was due")
_FAILING = _gauge(
    "lumbar_worker_loop_failing", "Failures in a row of a worker's loop, 0 while it works", "loop"
)
_READABLE = _gauge("lumbar_worker_readable", "0 where a worker's figures could not be read and are old")
_REACHABLE = _gauge("lumbar_database_reachable", "0 where a service's database does not answer")
_POOL = Gauge(
    "db_client_connection_count",
    "Connections to a database",
    ["db_client_connection_pool_name", "db_client_connection_state"],
    registry=REGISTRY,
)
_POOL_MOST = Gauge(
    "db_client_connection_max",
    "The most connections that may be open",
    ["db_client_connection_pool_name"],
    registry=REGISTRY,
)


def request_answered(*, service: str, method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request; `route` is the template, and a method that nobody knows is `other`."""
    known = method if method in METHODS else "other"
    _REQUESTS.labels(service, known, route, str(status)).observe(seconds)


async def exposition(
    workers: Mapping[str, ReportsStatus], databases: Iterable[WatchedDatabase] = ()
) -> bytes:
    """Read what workers (by service name) and databases say now; write every series in Prometheus' format.

    Where a worker's database or transport does not answer, its last figures stay and `lumbar_worker_readable`
    is 0.
    """
    for database in databases:
        _REACHABLE.labels(database.name).set(await database.ping())
        _POOL_MOST.labels(database.name).set(database.max_connections)
        for state, number in database.connections().items():
            _POOL.labels(database.name, state).set(number)
    for service, worker in workers.items():
        try:
            standing = await worker.read_status()
            _worker_read(service, standing)
            _READABLE.labels(service).set(standing.lag is not None)
        except _AWAY:
            _READABLE.labels(service).set(0)
            _LEADS.labels(service).set(0)
    return generate_latest(REGISTRY)


def _worker_read(service: str, found: "WorkerStatus") -> None:
    _OUTBOX.labels(service).set(found.outbox)
    _OUTBOX_AGE.labels(service).set(found.outbox_age)
    _LEADS.labels(service).set(found.leads)
    _IN_HAND.labels(service).set(found.in_hand_age)
    _TIMERS.labels(service).set(found.timers_due)
    _TIMERS_LATE.labels(service).set(found.timers_late)
    for topic, records in (found.lag or {}).items():
        _LAG.labels(service, topic).set(records)
    for state, (keys, age) in found.held.items():
        _HELD.labels(service, state).set(keys)
        _HELD_AGE.labels(service, state).set(age)
    for loop, failures in found.failing.items():
        _FAILING.labels(service, loop).set(failures)
