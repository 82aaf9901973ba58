"""The connections of one database: asyncpg's own, handed out without a session and taken back as they are.

Invariants:
- At most `size` connections are open at once; whoever finds none free waits at most ten seconds.
- A connection comes back idle and outside of any transaction, or it is closed: nothing is reset at a
  return, because nothing of ours changes a session (who wants SET, session locks or LISTEN opens its own).
- Prepared statements stay with their connection until it is closed.
- More than `kept` idle ones are closed one by one, each after a minute without use and never at once: a new
  connection costs as much as ten commands.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import msgspec
from pydantic_core import to_jsonable_python

from shared.clock import monotonic

_json = msgspec.json.Encoder(enc_hook=to_jsonable_python).encode

Connect = Callable[[], Awaitable[asyncpg.Connection]]

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    OSError,
)
_WAIT = 10.0
_CONNECT_WITHIN = 10.0
_UNUSED_FOR = 60.0
_STATEMENTS = 500
# In ms: whoever stands still in the middle of a transaction (a stopped process) gives its locks back, and who
# waits for a lock or a plan gone wrong is told to try again.
_FORGOTTEN_AFTER = "60000"
_NO_LONGER_THAN = "60000"
# What is kept of a plan may have been made while a table was empty; then reading all of it looks cheap, and
# stays so until the table is analyzed. No disk of today makes a page by an index four times as dear.
_RANDOM_PAGE = "1.1"
_STATEMENT_BYTES = 128 * 1024


class Pool:
    """A stack of connections: the one used last is used next, so that few stay warm."""

    def __init__(self, connect: Connect, *, size: int, kept: int) -> None:
        self.size = size
        self._connect = connect
        self._kept = kept
        self._idle: list[tuple[asyncpg.Connection, float]] = []
        self._free = asyncio.Semaphore(size)
        self._used = 0
        self._closed = False

    @property
    def idle(self) -> int:
        """How many connections are open and in nobody's hands."""
        return len(self._idle)

    @property
    def used(self) -> int:
        """How many connections are in somebody's hands."""
        return self._used

    async def take(self) -> tuple[asyncpg.Connection, bool]:
        """Give a connection, and whether it was used before; raises TimeoutError where none gets free."""
        if self._free.locked():
            async with asyncio.timeout(_WAIT):
                await self._free.acquire()
        else:
            await self._free.acquire()
        self._used += 1
        while self._idle:
            connection, _ = self._idle.pop()
            if not connection.is_closed():
                return connection, True
        connection = None
        try:
            connection = await self._connect()
        finally:
            if connection is None:
                self._given_back()
        return connection, False

    async def replace(self, lost: asyncpg.Connection) -> asyncpg.Connection:
        """Give a new connection for one that was found dead; it stays taken where none can be had."""
        lost.terminate()
        for connection, _ in self._idle:
            connection.terminate()
        self._idle.clear()
        return await self._connect()

    def give_back(self, connection: asyncpg.Connection) -> None:
        """Take a connection back that is outside of any transaction."""
        self._given_back()
        if self._closed or connection.is_closed() or connection.is_in_transaction():
            connection.terminate()
            return
        now = monotonic()
        self._idle.append((connection, now))
        if len(self._idle) > self._kept and now - self._idle[0][1] > _UNUSED_FOR:
            unused, _ = self._idle.pop(0)
            unused.terminate()

    def drop(self, connection: asyncpg.Connection) -> None:
        """Close a connection of which nobody knows in what state it is."""
        self._given_back()
        connection.terminate()

    async def close(self) -> None:
        """Close what is idle now, and what is in use when it comes back."""
        self._closed = True
        idle, self._idle = self._idle, []
        for connection, _ in idle:
            await connection.close(timeout=1)

    def _given_back(self) -> None:
        self._used -= 1
        self._free.release()


async def connect(url: str, *, name: str) -> asyncpg.Connection:
    """Open a connection to `url` (postgresql://...) as the service `name`."""
    connection = await asyncpg.connect(
        url,
        timeout=_CONNECT_WITHIN,
        statement_cache_size=_STATEMENTS,
        max_cached_statement_lifetime=0,
        max_cacheable_statement_size=_STATEMENT_BYTES,
        server_settings={
            "application_name": f"lumbar-{name}",
            "timezone": "UTC",
            "idle_in_transaction_session_timeout": _FORGOTTEN_AFTER,
            "statement_timeout": _NO_LONGER_THAN,
            "random_page_cost": _RANDOM_PAGE,
        },
    )
    ready = False
    try:
        await connection.set_type_codec(
            "jsonb", schema="pg_catalog", format="binary", encoder=_jsonb, decoder=_from_jsonb
        )
        ready = True
    finally:
        if not ready:
            connection.terminate()
    return connection


def _jsonb(value: Any) -> bytes:
    """Send a value as jsonb, whose binary form begins with its version; a str is JSON already."""
    return b"\x01" + (value.encode() if isinstance(value, str) else _json(value))


def _from_jsonb(value: bytes) -> Any:
    return msgspec.json.decode(value[1:])
