"""Database: one service's PostgreSQL; one verb, one transaction, opened at the edge.

Invariants:
- A use case gets a `Transaction` and cannot commit: there is no such method. The block's end commits, an
  exception rolls back, and nothing is answered or called back before the commit succeeded.
- Callbacks given to `after_commit` run once, after the commit, never after a rollback; they only wake others.
- SQLAlchemy describes the tables and compiles statements; asyncpg runs them. The `engine` is for migrations.
"""

from collections.abc import Callable
from functools import cached_property, partial
from types import TracebackType
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.db.connection import leaves_idle
from shared.db.pool import Pool, connect
from shared.db.transaction import Transaction

__all__ = ["Database", "Transaction"]


class Database:
    """One service's PostgreSQL database."""

    def __init__(self, url: str, *, name: str, pool_size: int) -> None:
        self.url = url
        self.name = name
        self.pool = Pool(partial(connect, url, name=name), size=pool_size + 4, kept=pool_size)
        self.round_trips = 0
        self.wake_relay: Callable[[], None] = _nobody_to_wake
        self.wake_timers: Callable[[], None] = _nobody_to_wake
        self.tell_readers: Callable[[str], None] = _nobody_to_tell

    @classmethod
    def connect(cls, url: str, *, name: str, pool_size: int = 6) -> "Database":
        """Make a pool for `url` (postgresql://...); nothing is opened before the first statement."""
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

    def transaction(self) -> "Block":
        """Open a transaction that commits at the end of the block and rolls back on an exception."""
        return Block(self)

    async def fetch(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """Run one SELECT or one statement that is a transaction by itself, with `$1` parameters."""
        self.round_trips += 1
        connection, _ = await self.pool.take()
        idle = False
        try:
            records: list[asyncpg.Record] = await connection.fetch(sql, *values)
            idle = True
        except asyncpg.PostgresError:
            idle = True
            raise
        finally:
            if idle:
                self.pool.give_back(connection)
            else:
                self.pool.drop(connection)
        return records

    async def open_connection(self) -> asyncpg.Connection:
        """Open a connection outside of the pool, for session locks and LISTEN; the caller closes it."""
        return await connect(self.url, name=self.name)

    async def close(self) -> None:
        """Close every connection."""
        await self.pool.close()
        if "engine" in self.__dict__:
            await self.engine.dispose()


class Block:
    """The block of one transaction: it alone can commit."""

    def __init__(self, database: Database) -> None:
        self._tx = Transaction(database)

    async def __aenter__(self) -> Transaction:
        return self._tx

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if error is not None:
            await self._tx._abandon(safely=leaves_idle(error))
            return
        await self._tx._finish()
        self._tx._committed()


def _nobody_to_wake() -> None:
    """The relay or the timers of this database run in another process, or not at all."""


def _nobody_to_tell(_: str) -> None:
    """Every reader of this database's logs runs in this process."""
