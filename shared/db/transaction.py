"""Transaction: what one verb reads and writes, as few statements as that takes.

Invariants:
- There is no `commit`: the block's end commits, an exception rolls back (`Database.transaction`).
- What is written is collected, and sent as one statement (writing.py): before a read of a table that it
  touches, before a statement of which nobody knows what it touches, at `flush`, and at the end of the block.
- A plain read before the first lock or write runs by itself; under READ COMMITTED it sees what it would see
  inside. From the first lock, write or `driver()` on, everything is inside one real transaction, and what a
  raw statement did is rolled back like everything else.
- Where nothing but that one last statement writes, it is a transaction by itself: no BEGIN and no COMMIT.
- A row is one object in a transaction, however often it is found.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
from sqlalchemy import Executable, Select
from sqlmodel import SQLModel

from shared.db import core, statements, writing
from shared.db.connection import TakenConnection
from shared.db.known_rows import KnownRows
from shared.db.mapped import mapped
from shared.db.models import table_of, values_of
from shared.db.statements import Answer
from shared.db.writing import Unchanged, Write
from shared.errors import Conflict

if TYPE_CHECKING:
    from shared.db.database import Database

Row = TypeVar("Row", bound=SQLModel)
T = TypeVar("T")


class Outrun(Conflict):
    """Somebody else was faster: a claim is taken, or a row that was changed here is gone."""


class Transaction:
    """An open transaction of one database; it has no `commit`."""

    def __init__(self, database: "Database") -> None:
        self.database = database
        self._taken = TakenConnection(database)
        self._rows = KnownRows()
        self._callbacks: dict[str, Callable[[], None]] = {}
        self._carries = False

    def add(self, row: SQLModel) -> None:
        """Insert this row with the next writes, as it is then; a row that is known already stays as it is."""
        self._rows.add(row)

    def write(self, write: Write | Unchanged, *values: Any) -> None:
        """Write one row with the next writes, or hold one against the database: values in the order of the
        description's columns.
        """
        self._rows.writes[write].append(values)

    def added(self, model: type[Row]) -> list[Row]:
        """Give the rows of a class that were added here and are not in the database yet."""
        return [row for row in self._rows.new.values() if isinstance(row, model)]

    def is_new(self, model: type[SQLModel], key: Any) -> bool:
        """Tell whether a row was added here and is not in the database yet: nothing there refers to it."""
        known = self._rows.known(mapped(model), (key,))
        return known is not None and self._rows.is_new(known)

    async def remove(self, row: SQLModel) -> None:
        """Delete this row with the next writes."""
        self._rows.remove(row)

    async def flush(self) -> None:
        """Send what was collected to the database, so that its constraints speak now."""
        if batch := self._rows.batch():
            await self._taken.begin()
            await self._send_batch(batch)

    async def get(self, model: type[Row], key: Any, *, lock: bool = False) -> Row | None:
        """Load a row by primary key, with `lock` FOR UPDATE and as the database has it now."""
        table = mapped(model)
        keys = key if isinstance(key, tuple) else (key,)
        known: Any = self._rows.known(table, keys)
        if known is not None and (not lock or self._rows.is_new(known)):
            return known  # type: ignore[no-any-return]
        if self._rows.is_rewritten(table.name):
            await self.flush()
        if lock:
            await self._before_locking(table.name)
        sql = f"{table.select} FOR UPDATE" if lock else table.select
        records = await self._taken.read(sql, keys)
        return self._rows.taken(table, records[0], 0, refresh=lock) if records else None  # type: ignore[return-value]

    async def all(self, statement: Select[T]) -> Sequence[T]:
        """Run a SELECT of one column or entity and give all of it."""
        return [row[0] for row in await self._read(statement)]

    async def first(self, statement: Select[T]) -> T | None:
        """Run a SELECT of one column or entity and give its first, or None."""
        rows = await self._read(statement)
        return rows[0][0] if rows else None

    async def execute(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Answer:
        """Run any statement; what was collected is sent before it."""
        found = statements.ready(statement, parameters)
        if isinstance(statement, Select) and any(table is not None for _, table in found.plan.entities):
            return statements.of_rows(found, await self._found(found, statement))
        if statements.locks(statement):
            await self.flush()
            await self._taken.begin()
            return await self._run(found)
        await self._flush_for(found.sql)
        return statements.result(found, await self._taken.read(found.sql, found.values))

    async def sql(self, statement: str, **parameters: Any) -> Answer:
        """Run SQL text with named parameters (`:name`); for `queries` and `shared` only."""
        await self.flush()
        await self._taken.begin()
        return await self._run(statements.ready_text(statement, parameters))

    async def fetch(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """Run a prepared SELECT (`$1`) that takes no lock; what its tables wait for is sent before."""
        await self._flush_for(sql)
        return await self._taken.read(sql, values)

    async def row(self, model: type[Row], sql: str, *values: Any) -> Row | None:
        """Run one statement with `$1` parameters and return its first row as a `model`, or None."""
        record = await (await self._open()).fetchrow(sql, *values)
        return None if record is None else model(**record)

    async def rows(self, model: type[Row], sql: str, *values: Any) -> list[Row]:
        """Run one statement and return all its rows as `model`."""
        return [model(**record) for record in await (await self._open()).fetch(sql, *values)]

    async def records(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """Run one statement and return its rows as asyncpg gives them."""
        found: list[asyncpg.Record] = await (await self._open()).fetch(sql, *values)
        return found

    async def value(self, sql: str, *values: Any) -> Any:
        """Run one statement and return the first column of its first row, None where there is none."""
        return await (await self._open()).fetchval(sql, *values)

    async def run(self, sql: str, *values: Any) -> int:
        """Run one statement and return how many rows it changed."""
        status: str = await (await self._open()).execute(sql, *values)
        return int(status.rpartition(" ")[2])

    async def insert(self, *rows: SQLModel) -> None:
        """Insert rows, those of one table by one statement, tables in the order of their first rows."""
        by_model: dict[type[SQLModel], list[SQLModel]] = {}
        for row in rows:
            by_model.setdefault(type(row), []).append(row)
        for model, same in by_model.items():
            table = table_of(model)
            values = [values_of(row, table.columns) for row in same]
            await self.run_many(table.insert(), values)

    async def update(self, row: SQLModel, **changes: Any) -> None:
        """Set columns of a row and write just them; raises Outrun where the row is gone."""
        for name, value in changes.items():
            setattr(row, name, value)
        table = table_of(type(row))
        values = values_of(row, (*table.key, *changes))
        if await self.run(table.update(tuple(changes)), *values) != 1:
            raise Outrun(f"this {type(row).__name__} is no longer there")

    async def update_all(self, rows: Sequence[SQLModel], *names: str) -> None:
        """Write some columns of rows of one table as they now are, by one statement."""
        if rows:
            table = table_of(type(rows[0]))
            values = [values_of(row, (*table.key, *names)) for row in rows]
            await self.run_many(table.update(names), values)

    async def upsert(self, *rows: SQLModel) -> None:
        """Insert rows of one table; where a key is there already, replace the row's other columns."""
        if rows:
            table = table_of(type(rows[0]))
            others = [name for name in table.columns if name not in table.key]
            sets = ", ".join(f'"{name}" = excluded."{name}"' for name in others)
            sql = f"{table.insert()} ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {sets}"
            await self.run_many(sql, [values_of(row, table.columns) for row in rows])

    async def delete(self, row: SQLModel) -> None:
        """Delete a row; nothing happens where it is gone."""
        table = table_of(type(row))
        await self.run(table.delete(), *values_of(row, table.key))

    async def run_many(self, sql: str, values: Sequence[Sequence[Any]]) -> None:
        """Run one statement once for each list of values, in their order, in one round trip."""
        if len(values) == 1:
            await (await self._open()).execute(sql, *values[0])
        elif values:
            await (await self._open()).executemany(sql, values)

    async def select(self, statement: Select[Any]) -> list[asyncpg.Record]:
        """Run a SELECT that SQLAlchemy Core has built, as searches do, and return its rows."""
        sql, values = core.compiled(statement)
        return await self.records(sql, *values)

    async def _open(self) -> asyncpg.Connection:
        self.database.round_trips += 1
        return await self.driver()

    async def driver(self) -> asyncpg.Connection:
        """Give the asyncpg connection, inside this transaction; what was collected is sent before."""
        await self.flush()
        await self._taken.begin()
        connection: asyncpg.Connection = self._taken.connection
        return connection

    def carry(self) -> None:
        """Let the next plain SELECT take along what was written here, in one statement that is durable when
        it answers: for a reading whose only write is the note of it.
        """
        self._carries = True

    def after_commit(self, name: str, callback: Callable[[], None]) -> None:
        """Call back after the commit; a second callback of the same name replaces the first."""
        self._callbacks[name] = callback

    async def _read(self, statement: Select[Any]) -> list[tuple[Any, ...]]:
        return await self._found(statements.ready(statement), statement)

    async def _found(self, found: statements.Ready, statement: Select[Any]) -> list[tuple[Any, ...]]:
        locking = statements.locks(statement)
        if locking:
            await self._taken.begin()
        await self._flush_for(found.sql)
        refresh = locking or statements.refreshes(statement)
        readers = found.plan.readers
        return [
            tuple(
                self._rows.taken(table, record, place, refresh=refresh)
                if table is not None
                else _decoded(record[place], readers[place])
                for place, table in found.plan.entities
            )
            for record in await self._records(found, carrying=not locking)
        ]

    async def _records(self, found: statements.Ready, *, carrying: bool) -> list[asyncpg.Record]:
        carrying, self._carries = carrying and self._carries, False
        if not carrying or self._taken.connection is not None or not self._rows.only_notes():
            return await self._taken.read(found.sql, found.values)
        sql, values = writing.carried(found.sql, found.values, self._rows.batch())
        return await self._taken.read(sql, values, harmless=True)

    async def _run(self, found: statements.Ready) -> Answer:
        if statements.gives_rows(found.sql):
            return statements.result(found, await self._taken.read(found.sql, found.values))
        status = await self._taken.execute(found.sql, found.values)
        return statements.result(found, (), status=status)

    async def _before_locking(self, table: str) -> None:
        await self._taken.begin()
        if table in self._rows.touched():
            await self.flush()

    async def _flush_for(self, sql: str) -> None:
        touched = self._rows.touched()
        if touched and not touched.isdisjoint(statements.words(sql)):
            await self.flush()

    async def _send_batch(self, batch: writing.Batch) -> None:
        sql, values = writing.statement(batch)
        try:
            await self._taken.read(sql, values)
        except asyncpg.DivisionByZeroError:
            text = "somebody else did the same at this moment; read the current state and try again"
            raise Outrun(text) from None

    async def _finish(self) -> None:
        """Send what is left and commit; whatever fails here rolls back."""
        done = idle = False
        try:
            if batch := self._rows.batch():
                await self._send_batch(batch)
            await self._taken.commit()
            done = True
        except (asyncpg.PostgresError, Outrun):
            idle = True
            raise
        finally:
            if done:
                self._taken.leave(safely=True)
            else:
                await self._abandon(safely=idle)

    async def _abandon(self, *, safely: bool) -> None:
        """Roll back; `safely` says that the connection is idle and may be used again."""
        self._rows.undo()
        await self._taken.roll_back(safely=safely)

    def _committed(self) -> None:
        for callback in self._callbacks.values():
            callback()


def _decoded(value: Any, reader: Any) -> Any:
    return value if reader is None else reader(value)
