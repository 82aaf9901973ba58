"""Transaction: what one verb reads and writes, at once and in the order in which it stands.

Invariants:
- There is no `commit`: the block's end commits, an exception rolls back (`Database.transaction`).
- Every statement goes to the database where it stands; nothing is collected, and no row is known twice.
- Times are aware UTC: a naive one is refused, because asyncpg would take it as local.
"""

from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
from sqlalchemy import Select
from sqlmodel import SQLModel

from shared.db import core
from shared.db.models import TableOf, table_of, values_of
from shared.errors import Conflict

if TYPE_CHECKING:
    from shared.db.database import Database

Row = TypeVar("Row", bound=SQLModel)

_LOCK_NAMES = """
SELECT pg_advisory_xact_lock(lock)
FROM (SELECT DISTINCT hashtextextended(name, 0) AS lock FROM unnest($1::text[]) AS name ORDER BY 1) AS locks
"""
# Beyond, each number of rows would be a statement of its own that is planned for one use.
_AT_ONCE = 40


class Outrun(Conflict):
    """Somebody else was faster: a row that was changed here has changed, or is gone."""


class Transaction:
    """An open transaction of one database; it has no `commit`."""

    def __init__(self, database: "Database", connection: Any) -> None:
        self.database = database
        self._asyncpg = connection
        self._callbacks: dict[str, Callable[[], None]] = {}

    async def row(self, model: type[Row], sql: str, *values: Any) -> Row | None:
        """Run one statement with `$1` parameters and return its first row as a `model`, or None."""
        record = await self._connection().fetchrow(sql, *values)
        return None if record is None else model(**record)

    async def rows(self, model: type[Row], sql: str, *values: Any) -> list[Row]:
        """Run one statement and return all its rows as `model`."""
        return [model(**record) for record in await self._connection().fetch(sql, *values)]

    async def records(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """Run one statement and return its rows as asyncpg gives them."""
        found: list[asyncpg.Record] = await self._connection().fetch(sql, *values)
        return found

    async def value(self, sql: str, *values: Any) -> Any:
        """Run one statement and return the first column of its first row, None where there is none."""
        return await self._connection().fetchval(sql, *values)

    async def run(self, sql: str, *values: Any) -> int:
        """Run one statement and return how many rows it changed."""
        status: str = await self._connection().execute(sql, *values)
        changed = status.rpartition(" ")[2]
        return int(changed) if changed.isdigit() else 0

    async def insert(self, *rows: SQLModel) -> None:
        """Insert rows, those of one table by one statement, tables in the order of their first rows."""
        for model, same in _by_model(rows).items():
            table = table_of(model)
            await self.run_many(table.insert(), [values_of(row, table.columns) for row in same])

    async def insert_at_once(self, *rows: SQLModel) -> None:
        """Insert a few rows of several tables by one statement; a row may refer to any other of them.

        For what is written all day in the same few shapes: each shape is a statement that is prepared. Many
        rows go table by table, and there a row comes after those that it refers to.
        """
        if len(rows) > _AT_ONCE:
            await self.insert(*rows)
        elif rows:
            tables = [(table_of(model), same) for model, same in _by_model(rows).items()]
            shape = tuple((table, len(same)) for table, same in tables)
            values = [
                value for table, same in tables for row in same for value in values_of(row, table.columns)
            ]
            await self.run(_insert(shape), *values)

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
            await self._connection().execute(sql, *values[0])
        elif values:
            await self._connection().executemany(sql, values)

    async def records_of_many(self, sql: str, values: Sequence[Sequence[Any]]) -> list[asyncpg.Record]:
        """Run one statement once for each list of values, in one round trip, and return the rows of all."""
        if not values:
            return []
        found: list[asyncpg.Record] = await self._connection().fetchmany(sql, values)
        return found

    async def select(self, statement: Select[Any]) -> list[asyncpg.Record]:
        """Run a SELECT that SQLAlchemy Core has built, as searches do, and return its rows."""
        sql, values = core.compiled(statement)
        return await self.records(sql, *values)

    async def lock_names(self, names: Collection[str]) -> None:
        """Wait for whoever holds one of these names, and hold them to the end; all take them in one order.

        A name is the lock of what has no row yet.
        """
        if names:
            await self.records(_LOCK_NAMES, list(names))

    def after_commit(self, name: str, callback: Callable[[], None]) -> None:
        """Call back after the commit; a second callback of the same name replaces the first."""
        self._callbacks[name] = callback

    def call_back(self) -> None:
        """Run what waits for the commit; called once, by whoever has committed."""
        for callback in self._callbacks.values():
            callback()

    def _connection(self) -> Any:
        self.database.round_trips += 1
        return self._asyncpg


def _by_model(rows: Sequence[SQLModel]) -> dict[type[SQLModel], list[SQLModel]]:
    by_model: dict[type[SQLModel], list[SQLModel]] = {}
    for row in rows:
        by_model.setdefault(type(row), []).append(row)
    return by_model


@cache
def _insert(shape: tuple[tuple[TableOf, int], ...]) -> str:
    """Write one statement that inserts so many rows of each of these tables."""
    statements, place = [], 1
    for table, count in shape:
        statements.append(table.insert(count, first=place))
        place += count * len(table.columns)
    *others, last = statements
    named = ", ".join(f"t{number} AS ({statement})" for number, statement in enumerate(others))
    return f"WITH {named} {last}" if others else last
