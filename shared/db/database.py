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

<<<<<<< HEAD
from shared import failpoints
from shared.db.pool import Pool, connect
from shared.db.transaction import Transaction, leaves_idle

__all__ = ["Database", "Transaction"]
=======
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
>>>>>>> a520b31e33d9cee8c5f64fd67a1108d8c355bb33


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
<<<<<<< HEAD
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
=======
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            async with session.begin():
                tx = Transaction(session, self)
                await tx._begin()
                yield tx
            tx._committed()
>>>>>>> a520b31e33d9cee8c5f64fd67a1108d8c355bb33

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
        failpoints.reach("after_commit_before_publish")
        self._tx._committed()


def _nobody_to_wake() -> None:
    """The relay or the timers of this database run in another process, or not at all."""


def _nobody_to_tell(_: str) -> None:
    """Every reader of this database's logs runs in this process."""
