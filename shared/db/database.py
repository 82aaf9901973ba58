"""Database: one service's PostgreSQL; one verb, one transaction, opened at the edge.

Invariants:
- A use case gets a `Transaction` and cannot commit: there is no such method. The block's end commits, an
  exception rolls back, and nothing is answered or called back before the commit succeeded.
- A COMMIT that PostgreSQL answers with a ROLLBACK is an error: a statement failed, and somebody caught that.
- A connection that died in the pool is replaced before anything was done on it, and nobody hears of it.
- Callbacks given to `after_commit` run once, after the commit, never after a rollback; they only wake others.
- Connections are asyncpg's own, in its own pool. Nothing is reset at a return, because nothing of ours
  changes a session: who wants SET, session locks or LISTEN opens a connection of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import cached_property
from typing import Any, Final

import asyncpg
import msgspec
from pydantic_core import to_jsonable_python
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.db.transaction import Transaction

# In seconds: how long to wait for a free connection, to open one, to keep one that nobody uses (longer than
# clients keep theirs, so that no request meets a closing one), and to let a close wait for what is in hand.
_WAIT: Final = 10.0
_CONNECT_WITHIN: Final = 10.0
_UNUSED_FOR: Final = 65.0
_CLOSE_WITHIN: Final = 2.0
# Beyond the service's own share, for loops that look without a transaction.
_SPARE: Final = 4
# What BEGIN says on a connection whose end nobody has noticed yet.
_LOST: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    OSError,
)
_ANSWERS_WITHIN = 2.0
_SETTINGS: Final = {
    "timezone": "UTC",
    # In ms: whoever stands still in the middle of a transaction gives its locks back, and who waits for a
    # lock or a plan gone wrong is told to try again.
    "idle_in_transaction_session_timeout": "60000",
    "statement_timeout": "60000",
    # A plan made while a table was empty stays until it is analyzed; no disk of today makes an index so dear.
    "random_page_cost": "1.1",
}


class Database:
    """One service's PostgreSQL database."""

    def __init__(self, url: str, *, name: str, pool_size: int) -> None:
        self.url = url
        self.name = name
        self.max_connections = pool_size + _SPARE
        self.round_trips = 0
        self.wake_relay: Callable[[], None] = _nobody_to_wake
        self.wake_timers: Callable[[], None] = _nobody_to_wake
        self.wake_roster: Callable[[], None] = _nobody_to_wake
        self.tell_roster: Callable[[], None] = _nobody_to_wake
        self.tell_readers: Callable[[str], None] = _nobody_to_tell
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    @classmethod
    def connect(cls, url: str, *, name: str, pool_size: int = 6) -> "Database":
        """Make a database for `url` (postgresql://...); nothing is opened before the first statement."""
        return cls(url, name=name, pool_size=pool_size)

    @cached_property
    def engine(self) -> AsyncEngine:
        """SQLAlchemy's engine over connections of its own, for migrations and what is done once."""
        return create_async_engine(
            self.url.replace("postgresql://", "postgresql+asyncpg://", 1),
            pool_size=1,
            max_overflow=3,
            pool_timeout=10,
            connect_args={"server_settings": {"application_name": f"lumbar-{self.name}", "timezone": "UTC"}},
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a transaction that commits at the end of the block and rolls back on an exception.

        Raises TimeoutError where no connection gets free.
        """
        pool = await self._opened()
        connection = await self._begun(pool)
        try:
            tx = Transaction(self, connection)
            went_through = False
            try:
                yield tx
                went_through = True
            finally:
                if not went_through:
                    await _roll_back(connection)
            if await self._execute(connection, "COMMIT") != "COMMIT":
                raise asyncpg.InFailedSQLTransactionError("a statement failed before: nothing was committed")
        finally:
            await pool.release(connection)
        tx.call_back()

    async def fetch(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """Run one SELECT or one statement that is a transaction by itself, with `$1` parameters."""
        self.round_trips += 1
        pool = await self._opened()
        async with pool.acquire(timeout=_WAIT) as connection:
            found: list[asyncpg.Record] = await connection.fetch(sql, *values)
        return found

    async def open_connection(self) -> asyncpg.Connection:
        """Open a connection outside of the pool, for session locks and LISTEN; the caller closes it."""
        connection = await asyncpg.connect(self.url, **self._options())
        await _prepare(connection)
        return connection

    async def ping(self) -> bool:
        """Tell whether a statement is answered within two seconds."""
        try:
            async with asyncio.timeout(_ANSWERS_WITHIN):
                await self.fetch("SELECT 1")
            return True
        except (TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            return False

    def connections(self) -> dict[str, int]:
        """Tell how many connections are idle and how many are used."""
        if self._pool is None:
            return {"idle": 0, "used": 0}
        idle = self._pool.get_idle_size()
        return {"idle": idle, "used": self._pool.get_size() - idle}

    async def close(self) -> None:
        """Close every connection; who still has one in hand for long loses it."""
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                async with asyncio.timeout(_CLOSE_WITHIN):
                    await pool.close()
            except TimeoutError:
                pool.terminate()
        if "engine" in self.__dict__:
            await self.engine.dispose()

    async def _begun(self, pool: asyncpg.Pool) -> Any:
        """Take a connection and begin; all that died in the pool unnoticed may be met before a new one is."""
        for _ in range(self.max_connections):
            connection = await pool.acquire(timeout=_WAIT)
            with suppress(*_LOST):
                return await self._begin(pool, connection)
        return await self._begin(pool, await pool.acquire(timeout=_WAIT))

    async def _begin(self, pool: asyncpg.Pool, connection: Any) -> Any:
        begun = False
        try:
            await self._execute(connection, "BEGIN")
            begun = True
        finally:
            if not begun:
                await pool.release(connection)
        return connection

    async def _opened(self) -> asyncpg.Pool:
        if self._pool is None:
            async with self._opening:
                if self._pool is None:
                    self._pool = await asyncpg.create_pool(
                        self.url,
                        min_size=0,
                        max_size=self.max_connections,
                        max_inactive_connection_lifetime=_UNUSED_FOR,
                        init=_prepare,
                        reset=_leave_as_it_is,
                        **self._options(),
                    )
        return self._pool

    def _options(self) -> dict[str, Any]:
        return {
            "timeout": _CONNECT_WITHIN,
            "statement_cache_size": 500,
            "max_cached_statement_lifetime": 0,
            "max_cacheable_statement_size": 128 * 1024,
            "server_settings": {"application_name": f"lumbar-{self.name}", **_SETTINGS},
        }

    async def _execute(self, connection: Any, sql: str) -> str:
        self.round_trips += 1
        status: str = await connection.execute(sql)
        return status


async def _prepare(connection: asyncpg.Connection) -> None:
    """Let jsonb take values and give values; its binary form begins with its version."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", format="binary", encoder=_to_jsonb, decoder=_from_jsonb
    )


async def _leave_as_it_is(_: asyncpg.Connection) -> None:
    """Nothing of ours changes a session."""


async def _roll_back(connection: Any) -> None:
    """Undo what was begun; a connection of which nobody knows in what state it is is closed."""
    try:
        async with asyncio.timeout(_CLOSE_WITHIN):
            await connection.execute("ROLLBACK")
    except (TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        connection.terminate()


_encode = msgspec.json.Encoder(enc_hook=to_jsonable_python).encode


def _to_jsonb(value: Any) -> bytes:
    return b"\x01" + _encode(value)


def _from_jsonb(value: bytes) -> Any:
    return msgspec.json.decode(value[1:])


def _nobody_to_wake() -> None:
    """The relay or the timers of this database run in another process, or not at all."""


def _nobody_to_tell(_: str) -> None:
    """Every reader of this database's logs runs in this process."""
