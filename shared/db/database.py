"""Database and Transaction: one verb, one transaction, opened at the edge.

Invariants:
- A use case gets a `Transaction` and cannot commit: there is no such method. The block's end commits, an
  exception rolls back, and nothing is answered or called back before the commit succeeded.
- The transaction begins for real when the block is entered, so a statement on the driver connection is rolled
  back like every other one (SQLAlchemy's asyncpg dialect would begin only at its own first statement).
- Callbacks given to `after_commit` run once, after the commit, never after a rollback; they only wake others.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import Executable, Select, text
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlmodel import SQLModel

Row = TypeVar("Row", bound=SQLModel)
T = TypeVar("T")


class Transaction:
    """An open transaction of one database; it has no `commit`."""

    def __init__(self, session: AsyncSession, database: "Database") -> None:
        self._session = session
        self._callbacks: dict[str, Callable[[], None]] = {}
        self.database = database

    def add(self, row: SQLModel) -> None:
        """Insert this row at the next flush."""
        self._session.add(row)

    async def remove(self, row: SQLModel) -> None:
        """Delete this row at the next flush."""
        await self._session.delete(row)

    async def flush(self) -> None:
        """Send what was added and changed to the database, so that its constraints speak now."""
        await self._session.flush()

    async def get(self, model: type[Row], key: Any, *, lock: bool = False) -> Row | None:
        """Load a row by primary key, with `lock` FOR UPDATE and as the database has it now."""
        return await self._session.get(model, key, with_for_update=lock, populate_existing=lock)

    async def all(self, statement: Select[T]) -> Sequence[T]:
        """Run a SELECT of one column or entity and give all of it."""
        return (await self._session.execute(statement)).scalars().all()

    async def first(self, statement: Select[T]) -> T | None:
        """Run a SELECT of one column or entity and give its first, or None."""
        return (await self._session.execute(statement)).scalars().first()

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Run any statement; pending rows are flushed before it."""
        await self._session.flush()
        result = await self._session.execute(statement, parameters)
        return result  # type: ignore[return-value]

    async def sql(self, statement: str, **parameters: Any) -> CursorResult[Any]:
        """Run SQL text with named parameters (`:name`); for `queries` and `shared` only."""
        return await self.execute(text(statement), parameters)

    async def driver(self) -> asyncpg.Connection:
        """Give the asyncpg connection, inside this transaction; pending rows are flushed before."""
        await self._session.flush()
        connection = await self._session.connection()
        raw = await connection.get_raw_connection()
        return raw.driver_connection

    def after_commit(self, name: str, callback: Callable[[], None]) -> None:
        """Call back after the commit; a second callback of the same name replaces the first."""
        self._callbacks[name] = callback

    async def _begin(self) -> None:
        await self._session.execute(text("SELECT 1"))

    def _committed(self) -> None:
        for callback in self._callbacks.values():
            callback()


class Database:
    """One service's PostgreSQL database."""

    def __init__(self, engine: AsyncEngine, *, name: str) -> None:
        self.engine = engine
        self.name = name
        self.wake_relay: Callable[[], None] = _nobody_to_wake
        self.wake_timers: Callable[[], None] = _nobody_to_wake
        self.tell_readers: Callable[[str], None] = _nobody_to_tell

    @classmethod
    def connect(cls, url: str, *, name: str, pool_size: int = 6) -> "Database":
        """Make a pool for `url` (postgresql://...); nothing is opened before the first transaction."""
        engine = create_async_engine(
            url.replace("postgresql://", "postgresql+asyncpg://", 1),
            pool_size=pool_size,
            max_overflow=4,
            pool_timeout=10,
            connect_args={"server_settings": {"application_name": f"lumbar-{name}", "timezone": "UTC"}},
        )
        return cls(engine, name=name)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a transaction that commits at the end of the block and rolls back on an exception."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            async with session.begin():
                tx = Transaction(session, self)
                await tx._begin()
                yield tx
            tx._committed()

    async def close(self) -> None:
        """Close every connection of the pool."""
        await self.engine.dispose()


def _nobody_to_wake() -> None:
    """The relay or the timers of this database run in another process, or not at all."""


def _nobody_to_tell(_: str) -> None:
    """Every reader of this database's logs runs in this process."""
