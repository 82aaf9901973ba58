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

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
from sqlalchemy import Executable, Select
from sqlmodel import SQLModel

from shared.db import statements, writing
from shared.db.mapped import Mapped, changed, is_modified, known_to_database, mapped, mark, settle
from shared.db.pool import LOST
from shared.db.statements import Answer
from shared.db.writing import Part, Write
from shared.errors import Conflict

if TYPE_CHECKING:
    from shared.db.database import Database

Row = TypeVar("Row", bound=SQLModel)
T = TypeVar("T")
Key = tuple[type[SQLModel], tuple[Any, ...]]


class Outrun(Conflict):
    """Somebody else was faster: a claim is taken, or a row that was changed here is gone."""


class Transaction:
    """An open transaction of one database; it has no `commit`."""

    def __init__(self, database: "Database") -> None:
        self.database = database
        self._connection: Any = None
        self._begun = False
        self._callbacks: dict[str, Callable[[], None]] = {}
        self._new: dict[int, SQLModel] = {}
        self._kept: dict[type[SQLModel], dict[int, SQLModel]] = defaultdict(dict)
        self._by_key: dict[Key, SQLModel] = {}
        self._gone: list[SQLModel] = []
        self._written: list[SQLModel] = []
        self._writes: dict[Part, list[tuple[Any, ...]]] = defaultdict(list)

    def add(self, row: SQLModel) -> None:
        """Insert this row with the next writes, as it is then; a row that is known already stays as it is."""
        table = mapped(type(row))
        if id(row) in self._new or id(row) in self._kept[table.model]:
            return
        if known_to_database(row):
            self._keep(table, row)
        else:
            self._new[id(row)] = row
            self._by_key[(table.model, table.key_of(row))] = row

    def write(self, write: Write, *values: Any) -> None:
        """Write one row with the next writes: values in the order of the description's columns."""
        self._writes[write].append(values)

    def added(self, model: type[Row]) -> list[Row]:
        """Give the rows of a class that were added here and are not in the database yet."""
        return [row for row in self._new.values() if isinstance(row, model)]

    def is_new(self, model: type[SQLModel], key: Any) -> bool:
        """Tell whether a row was added here and is not in the database yet: nothing there refers to it."""
        known = self._by_key.get((model, (key,)))
        return known is not None and id(known) in self._new

    async def remove(self, row: SQLModel) -> None:
        """Delete this row with the next writes."""
        table = mapped(type(row))
        self._by_key.pop((table.model, table.key_of(row)), None)
        if self._new.pop(id(row), None) is None:
            self._kept[table.model].pop(id(row), None)
            self._gone.append(row)

    async def flush(self) -> None:
        """Send what was collected to the database, so that its constraints speak now."""
        batch = self._batch()
        if batch:
            await self._begin()
            await self._send_batch(batch)

    async def get(self, model: type[Row], key: Any, *, lock: bool = False) -> Row | None:
        """Load a row by primary key, with `lock` FOR UPDATE and as the database has it now."""
        table = mapped(model)
        keys = key if isinstance(key, tuple) else (key,)
        known: Any = self._by_key.get((table.model, keys))
        if known is not None and (not lock or id(known) in self._new):
            return known  # type: ignore[no-any-return]
        if self._is_rewritten(table.name):
            await self.flush()
        if lock:
            await self._before_locking(table.name)
        sql = f"{table.select} FOR UPDATE" if lock else table.select
        records = await self._read(sql, keys)
        return self._taken(table, records[0], 0, refresh=lock) if records else None  # type: ignore[return-value]

    async def all(self, statement: Select[T]) -> Sequence[T]:
        """Run a SELECT of one column or entity and give all of it."""
        return [row[0] for row in await self._rows(statement)]

    async def first(self, statement: Select[T]) -> T | None:
        """Run a SELECT of one column or entity and give its first, or None."""
        rows = await self._rows(statement)
        return rows[0][0] if rows else None

    async def execute(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Answer:
        """Run any statement; what was collected is sent before it."""
        found = statements.ready(statement, parameters)
        if isinstance(statement, Select) and any(table is not None for _, table in found.plan.entities):
            return statements.of_rows(found, await self._rows_of(found, statement))
        if statements.locks(statement):
            await self.flush()
            await self._begin()
            return await self._run(found)
        await self._flush_for(found.sql)
        return statements.result(found, await self._read(found.sql, found.values))

    async def sql(self, statement: str, **parameters: Any) -> Answer:
        """Run SQL text with named parameters (`:name`); for `queries` and `shared` only."""
        await self.flush()
        await self._begin()
        return await self._run(statements.ready_text(statement, parameters))

    async def fetch(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """Run a prepared SELECT (`$1`) that takes no lock; what its tables wait for is sent before."""
        await self._flush_for(sql)
        return await self._read(sql, values)

    async def driver(self) -> asyncpg.Connection:
        """Give the asyncpg connection, inside this transaction; what was collected is sent before."""
        await self.flush()
        await self._begin()
        return self._connection

    def after_commit(self, name: str, callback: Callable[[], None]) -> None:
        """Call back after the commit; a second callback of the same name replaces the first."""
        self._callbacks[name] = callback

    async def _rows(self, statement: Select[Any]) -> list[tuple[Any, ...]]:
        return await self._rows_of(statements.ready(statement), statement)

    async def _rows_of(self, found: statements.Ready, statement: Select[Any]) -> list[tuple[Any, ...]]:
        locking = statements.locks(statement)
        if locking:
            await self._begin()
        await self._flush_for(found.sql)
        refresh = locking or statements.refreshes(statement)
        readers = found.plan.readers
        return [
            tuple(
                self._taken(table, record, place, refresh=refresh)
                if table is not None
                else _read(record[place], readers[place])
                for place, table in found.plan.entities
            )
            for record in await self._read(found.sql, found.values)
        ]

    async def _run(self, found: statements.Ready) -> Answer:
        connection = self._connection
        self.database.round_trips += 1
        if statements.gives_rows(found.sql):
            return statements.result(found, await connection.fetch(found.sql, *found.values))
        return statements.result(found, (), status=await connection.execute(found.sql, *found.values))

    async def _before_locking(self, table: str) -> None:
        await self._begin()
        if table in self._touched():
            await self.flush()

    async def _flush_for(self, sql: str) -> None:
        touched = self._touched()
        if touched and not touched.isdisjoint(statements.words(sql)):
            await self.flush()

    def _is_rewritten(self, table: str) -> bool:
        """Tell whether rows of a table were written or removed here that only the database would give."""
        gone = (mapped(type(row)).name for row in self._gone)
        return any(name == table for name in (*(part.table for part in self._writes), *gone))

    def _touched(self) -> set[str]:
        """Name the tables for which something was collected."""
        touched = {part.table for part in self._writes}
        touched |= {mapped(type(row)).name for row in (*self._new.values(), *self._gone)}
        for model, rows in self._kept.items():
            if any(is_modified(row) for row in rows.values()):
                touched.add(mapped(model).name)
        return touched

    def _taken(self, table: Mapped, record: Sequence[Any], first: int, *, refresh: bool) -> SQLModel | None:
        key = table.key_in(record, first)
        if key[0] is None:
            return None
        known = self._by_key.get((table.model, key))
        if known is None:
            known = table.row(record, first)
            mark(known, key)
            self._keep(table, known)
        elif refresh:
            table.fill(known, record, first)
        return known

    def _keep(self, table: Mapped, row: SQLModel) -> None:
        self._kept[table.model][id(row)] = row
        self._by_key[(table.model, table.key_of(row))] = row

    def _batch(self) -> dict[Part, list[tuple[Any, ...]]]:
        """Take everything that was collected."""
        batch, self._writes = self._writes, defaultdict(list)
        new, self._new = self._new, {}
        for row in new.values():
            table = mapped(type(row))
            batch[table.insert].append(table.values(row))
            settle(row)
            if table.keeps_key:
                mark(row, table.key_of(row))
                self._written.append(row)
                self._keep(table, row)
        for model, rows in self._kept.items():
            for row in rows.values():
                if is_modified(row):
                    if names := changed(row):
                        table = mapped(model)
                        batch[table.change(names)].append(table.change_values(row, names))
                    settle(row)
        gone, self._gone = self._gone, []
        for row in gone:
            batch[mapped(type(row)).removal].append(mapped(type(row)).key_of(row))
        return batch

    async def _send_batch(self, batch: writing.Batch) -> None:
        sql, values = writing.statement(batch)
        try:
            await self._read(sql, values)
        except asyncpg.DivisionByZeroError:
            text = "somebody else did the same at this moment; read the current state and try again"
            raise Outrun(text) from None

    async def _begin(self) -> None:
        if not self._begun:
            # First of all: a BEGIN that is given up may have been heard, and the end must take it back.
            self._begun = True
            await self._read("BEGIN", ())

    async def _read(self, sql: str, values: Sequence[Any]) -> list[asyncpg.Record]:
        """Send one statement. A pooled connection that turns out to be dead is replaced once, before anything
        was done on it.
        """
        self.database.round_trips += 1
        if self._connection is not None:
            return await _fetched(self._connection, sql, values)
        self._connection, used = await self.database.pool.take()
        try:
            return await _fetched(self._connection, sql, values)
        except LOST:
            if not used or not _harmless(sql):
                raise
            self._connection = await self.database.pool.replace(self._connection)
            return await _fetched(self._connection, sql, values)

    async def _finish(self) -> None:
        """Send what is left and commit; whatever fails here rolls back."""
        done = idle = False
        try:
            if batch := self._batch():
                await self._send_batch(batch)
            if self._begun:
                await self._commit()
            done = True
        except (asyncpg.PostgresError, Outrun):
            idle = True
            raise
        finally:
            if done:
                self._leave(safely=True)
            else:
                await self._abandon(safely=idle)

    async def _commit(self) -> None:
        """Commit; raises InFailedSQLTransactionError where a statement failed and somebody caught that.

        PostgreSQL answers such a COMMIT with a ROLLBACK, which is no error to it.
        """
        self.database.round_trips += 1
        if await self._connection.execute("COMMIT") != "COMMIT":
            raise asyncpg.InFailedSQLTransactionError("a statement failed before: nothing was committed")

    async def _abandon(self, *, safely: bool) -> None:
        """Roll back; `safely` says that the connection is idle and may be used again."""
        for row in self._written:
            mark(row, None)
        idle = safely and not self._begun
        try:
            if safely and self._begun and self._connection is not None:
                await self._connection.execute("ROLLBACK")
                idle = True
        except (asyncpg.PostgresError, *LOST):
            idle = False
        finally:
            self._leave(safely=idle)

    def _leave(self, *, safely: bool) -> None:
        connection, self._connection = self._connection, None
        self._begun = False
        if connection is None:
            return
        if safely:
            self.database.pool.give_back(connection)
        else:
            self.database.pool.drop(connection)

    def _committed(self) -> None:
        for callback in self._callbacks.values():
            callback()


async def _fetched(connection: asyncpg.Connection, sql: str, values: Sequence[Any]) -> list[asyncpg.Record]:
    if sql == "BEGIN":
        await connection.execute(sql)
        return []
    records: list[asyncpg.Record] = await connection.fetch(sql, *values)
    return records


def leaves_idle(error: BaseException) -> bool:
    """Tell whether nothing is on its way on the connection: a cancelled statement may still be."""
    return isinstance(error, Exception) and not isinstance(error, TimeoutError)


def _harmless(sql: str) -> bool:
    """Tell whether a statement can be sent again when nobody knows whether it ran."""
    return sql == "BEGIN" or sql.startswith("SELECT")


def _read(value: Any, reader: Any) -> Any:
    return value if reader is None else reader(value)
