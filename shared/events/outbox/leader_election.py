"""One leader among the replicas of a service: a session advisory lock on a connection of its own.

Invariants:
- The lock says who works; only the epoch says whose work counts. Every new leader raises `relay_epoch`, and
  what a leader writes happens in a transaction that found its own epoch there and keeps it locked.
- Whoever lost the connection is no leader any more, and asks again.
"""

import zlib
from collections.abc import Collection

import asyncpg

from shared import failpoints
from shared.clock import monotonic
from shared.db import Database, Transaction
from shared.events.outbox import moving
from shared.events.outbox.moving import MoveResult, TopicSubset

_SILENCE = 1.0


class NotLeader(Exception):
    """Another leader has begun a later epoch: nothing of this transaction may count."""


class LeaderElection:
    """The attempt to lead, and the epoch while it lasts; `known` says whether somebody is known to lead."""

    def __init__(self, database: Database, *, name: str) -> None:
        self.epoch: int | None = None
        self.known = False
        self._database = database
        self._name = name
        self._connection: asyncpg.Connection | None = None
        self._checked_at = 0.0

    async def acquire(self) -> bool:
        """Become or stay the leader if nobody else is; return whether we are."""
        driver = await self.driver()
        if self.epoch is None:
            self.epoch = await self._begin(driver)
        elif monotonic() > self._checked_at + _SILENCE:
            await driver.fetchval("SELECT 1")
        else:
            return True
        self.known, self._checked_at = True, monotonic()
        return self.epoch is not None

    async def check(self, tx: Transaction) -> None:
        """Hold our epoch in this transaction until its end; raises NotLeader where it is not the newest."""
        newest = await tx.value("SELECT epoch FROM relay_epoch WHERE name = $1 FOR SHARE", self._name)
        if self.epoch is None or newest != self.epoch:
            raise NotLeader(f"epoch {self.epoch} of {self._name} is over")

    async def move(
        self, *, above: int, limit: int, read: Collection[str] = (), subset: TopicSubset | None = None
    ) -> MoveResult:
        """Move events in place on our own connection, as our epoch; see `moving.move`."""
        driver, epoch = await self.driver(), self.epoch or 0
        moved = await moving.move(
            driver, name=self._name, epoch=epoch, above=above, limit=limit, read=read, subset=subset
        )
        self._checked_at = monotonic()
        return moved

    async def release(self) -> None:
        """Stop leading; closing the connection gives the lock back."""
        self.epoch, self.known = None, False
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def _begin(self, driver: asyncpg.Connection) -> int | None:
        """Take the lock and begin a new epoch, None where somebody else has the lock."""
        if not await driver.fetchval("SELECT pg_try_advisory_lock($1)", self._lock_key):
            return None
        epoch: int = await driver.fetchval(
            "INSERT INTO relay_epoch AS e (name, epoch) VALUES ($1, 1)"
            " ON CONFLICT (name) DO UPDATE SET epoch = e.epoch + 1 RETURNING epoch",
            self._name,
        )
        failpoints.reach("leading_not_relaying")
        return epoch

    @property
    def _lock_key(self) -> int:
        return zlib.crc32(f"lumbar {self._name}".encode())

    async def driver(self) -> asyncpg.Connection:
        """Return the connection that holds the lock; whatever runs on it ends with the election."""
        if self._connection is None:
            self._connection = await self._database.open_connection()
        return self._connection
