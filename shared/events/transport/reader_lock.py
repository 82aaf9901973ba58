"""One reader among the processes that could be it: a session advisory lock in the consumer's database.

On the PostgreSQL log it chooses the one process that reads as a group; on Kafka it holds a replica's number,
so that two processes with one number do not pass partitions to and fro.

Invariants:
- The lock only saves work: a reader that seems dead and is not costs repeats, which inbox and positions know.
  Whether it is still held is therefore asked of the connection alone, without a round trip.
- Whoever lost the connection reads no more, and asks again; the lock of a process that died is free at once.
"""

import zlib

import asyncpg

from shared.db import Database


class ReaderLock:
    """The attempt to be the one process that has this name."""

    def __init__(self, database: Database, *, name: str) -> None:
        self._database = database
        self._key = zlib.crc32(f"lumbar reader {name}".encode())
        self._connection: asyncpg.Connection | None = None
        self._acquired = False

    @property
    def held(self) -> bool:
        """Whether we had the lock when we last looked, and nothing has happened since."""
        return self._acquired and self._connection is not None and not self._connection.is_closed()

    async def acquire(self) -> bool:
        """Take or keep the lock if nobody else has it; return whether we have it."""
        if self.held:
            return True
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._database.open_connection()
        self._acquired = await self._connection.fetchval("SELECT pg_try_advisory_lock($1)", self._key)
        return self._acquired

    async def release(self) -> None:
        """Return the lock back by closing its connection."""
        connection, self._connection, self._acquired = self._connection, None, False
        if connection is not None:
            connection.terminate()
