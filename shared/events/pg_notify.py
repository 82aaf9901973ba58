"""Waking across processes: who has news says so by NOTIFY, and the others listen.

Invariants:
- Never in the business transaction, where a NOTIFY would queue every commit of the database behind one lock:
  it is said on a connection of its own, at most once in 2 ms, with all that came together in between.
- It only wakes. What was not said, not heard, or said while the connection was away costs up to 5 seconds.
- What this process says it has done already for itself, so it does not hear its own voice.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import asyncpg
import structlog

from shared.db import Database
from shared.events.transport import event_log
from shared.events.worker import Worker

CHANNEL = "lumbar"
RELAY = "relay"
TIMERS = "timers"
ROSTER = "roster"
_LOG = "log "
_NOT_OFTENER_THAN = 0.002
_AGAIN_AFTER = 0.5

log = structlog.get_logger("lumbar.notices")


class NotifyChannel:
    """What is said and heard about one database in this process; `hear` is called with what others say.

    `hear(None)` says that something may have been missed.
    """

    def __init__(self, database: Database, *, on_notify: Callable[[str | None], None]) -> None:
        self._database = database
        self._service = database.name
        self._on_notify = on_notify
        self._unsent: set[str] = set()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def publish(self, what: str) -> None:
        """Return the other processes soon; a second time before it was said is the same."""
        self._unsent.add(what)
        self._news.set()

    async def start(self) -> None:
        """Begin to say and to hear; returns at once, also where the database is away."""
        self._task = asyncio.create_task(self._run(), name=f"{self._service} notices")

    async def stop(self) -> None:
        """Say nothing and hear nothing any more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                async with self._connected() as driver:
                    self._on_notify(None)
                    await self._send(driver)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("notices.connection-lost", error=type(error).__name__, service=self._service)
            await asyncio.sleep(_AGAIN_AFTER)

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[asyncpg.Connection]:
        driver = await self._database.open_connection()
        own = driver.get_server_pid()

        def received(_: object, pid: int, __: str, what: object) -> None:
            if pid != own:
                self._on_notify(str(what))

        try:
            driver.add_termination_listener(lambda _: self._news.set())
            await driver.add_listener(CHANNEL, received)
            yield driver
        finally:
            driver.terminate()

    async def _send(self, driver: asyncpg.Connection) -> None:
        while not driver.is_closed():
            await self._news.wait()
            self._news.clear()
            unsent, self._unsent = self._unsent, set()
            if unsent:
                statement = "SELECT pg_notify($1, what) FROM unnest($2::text[]) AS what"
                await driver.execute(statement, CHANNEL, list(unsent))
            await asyncio.sleep(_NOT_OFTENER_THAN)


def api_channel(database: Database) -> NotifyChannel:
    """Let an API process wake the workers of its service, and its open feeds be woken."""

    def on_notify(what: str | None) -> None:
        if what in (ROSTER, None):
            database.wake_roster()
        _wake_readers(database, what)

    channel = NotifyChannel(database, on_notify=on_notify)
    database.wake_relay = lambda: channel.publish(RELAY)
    database.wake_timers = lambda: channel.publish(TIMERS)
    database.tell_roster = lambda: channel.publish(ROSTER)
    return channel


def worker_channel(worker: Worker) -> NotifyChannel:
    """Let a worker's process be woken, wake the relay that leads elsewhere, and tell of what it appends.

    Call it after the worker was started, which makes the loops that are woken.
    """
    database = worker.runtime.database
    relay, timers = database.wake_relay, database.wake_timers

    def on_notify(what: str | None) -> None:
        if what in (RELAY, None):
            relay()
        if what in (TIMERS, None):
            timers()
        if what in (ROSTER, None):
            database.wake_roster()
        _wake_readers(database, what)

    def wake_relay() -> None:
        relay()
        if not worker.leads():
            channel.publish(RELAY)

    channel = NotifyChannel(database, on_notify=on_notify)
    database.wake_relay = wake_relay
    database.tell_roster = lambda: channel.publish(ROSTER)
    database.tell_readers = lambda topic: channel.publish(f"{_LOG}{topic}")
    return channel


def log_channel(source: Database) -> NotifyChannel:
    """Let the readers of another service's log in this process be woken."""
    return NotifyChannel(source, on_notify=lambda what: _wake_readers(source, what))


def _wake_readers(database: Database, what: str | None) -> None:
    if what is None:
        event_log.wake_all_readers(database)
    elif what.startswith(_LOG):
        event_log.wake_readers(database, what.removeprefix(_LOG))
