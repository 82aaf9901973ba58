"""One reader of a group among the processes that could: a session advisory lock in its database.

Invariants:
- The lock only saves work: a reader that seems dead and is not costs repeats, which the inbox knows. Whether
  we still read is therefore asked of the connection alone, without a round trip.
- Whoever lost the connection reads no more, and asks again; the lock of a process that died is free at once.
"""

import zlib

import asyncpg
import structlog

from shared.db import Database

log = structlog.get_logger("lumbar.transport")


class ReaderLock:
    """The attempt to be the one process that reads as a group."""

    def __init__(self, database: Database, *, group: str) -> None:
        self._database = database
        self._group = group
        self._connection: asyncpg.Connection | None = None
        self._reads = False

    async def acquire(self) -> bool:
        """Become or stay the reader if nobody else is; tell whether we are."""
        if self._connection is None or self._connection.is_closed():
            self._reads = False
            self._connection = await self._database.open_connection()
        if not self._reads:
            key = zlib.crc32(f"lumbar reader {self._group}".encode())
            self._reads = await self._connection.fetchval("SELECT pg_try_advisory_lock($1)", key)
            if self._reads:
                log.info("log.reads", group=self._group)
        return self._reads

    @property
    def held(self) -> bool:
        """Tell whether we were the reader when we last looked and nothing has happened since."""
        return self._reads and self._connection is not None and not self._connection.is_closed()

    async def release(self) -> None:
        """Read no more; closing the connection gives the lock back."""
        connection, self._connection, self._reads = self._connection, None, False
        if connection is not None:
            connection.terminate()
