"""The connection of one transaction: taken at the first statement, begun when it must, given back once.

Invariants:
- A connection goes back to the pool only when nothing is on its way on it and no transaction is open.
- A pooled connection that turns out to be dead is replaced once, before anything was done on it.
- A COMMIT that PostgreSQL answers with a ROLLBACK is an error.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import asyncpg

from shared.db.pool import LOST

if TYPE_CHECKING:
    from shared.db.database import Database


class TakenConnection:
    """What one transaction sends its statements on; `connection` is None before the first of them."""

    def __init__(self, database: "Database") -> None:
        self.connection: Any = None
        self._database = database
        self._begun = False

    async def begin(self) -> None:
        """Begin a real transaction, once."""
        if not self._begun:
            # First of all: a BEGIN that is given up may have been heard, and the end must take it back.
            self._begun = True
            await self.read("BEGIN", ())

    async def read(self, sql: str, values: Sequence[Any], *, harmless: bool = False) -> list[asyncpg.Record]:
        """Send one statement and give its rows; `harmless` says that it may be sent twice."""
        self._database.round_trips += 1
        if self.connection is not None:
            return await _fetched(self.connection, sql, values)
        self.connection, used = await self._database.pool.take()
        try:
            return await _fetched(self.connection, sql, values)
        except LOST:
            if not used or not (harmless or _harmless(sql)):
                raise
            self.connection = await self._database.pool.replace(self.connection)
            return await _fetched(self.connection, sql, values)

    async def execute(self, sql: str, values: Sequence[Any]) -> str:
        """Send one statement of a transaction that was begun, and give its status."""
        self._database.round_trips += 1
        status: str = await self.connection.execute(sql, *values)
        return status

    async def commit(self) -> None:
        """Commit what was begun; raises InFailedSQLTransactionError where a statement failed and somebody
        caught that: PostgreSQL then answers with a ROLLBACK, which is no error to it.
        """
        if self._begun and await self.execute("COMMIT", ()) != "COMMIT":
            raise asyncpg.InFailedSQLTransactionError("a statement failed before: nothing was committed")

    async def roll_back(self, *, safely: bool) -> None:
        """Undo what was begun and give the connection back, or close it where it is not `safely` idle."""
        idle = safely and not self._begun
        try:
            if safely and self._begun and self.connection is not None:
                await self.connection.execute("ROLLBACK")
                idle = True
        except (asyncpg.PostgresError, *LOST):
            idle = False
        finally:
            self.leave(safely=idle)

    def leave(self, *, safely: bool) -> None:
        """Give the connection back, or close it where nobody knows in what state it is."""
        connection, self.connection = self.connection, None
        self._begun = False
        if connection is None:
            return
        if safely:
            self._database.pool.give_back(connection)
        else:
            self._database.pool.drop(connection)


def leaves_idle(error: BaseException) -> bool:
    """Tell whether nothing is on its way on the connection: a cancelled statement may still be."""
    return isinstance(error, Exception) and not isinstance(error, TimeoutError)


async def _fetched(connection: asyncpg.Connection, sql: str, values: Sequence[Any]) -> list[asyncpg.Record]:
    if sql == "BEGIN":
        await connection.execute(sql)
        return []
    records: list[asyncpg.Record] = await connection.fetch(sql, *values)
    return records


def _harmless(sql: str) -> bool:
    """Tell whether a statement can be sent again when nobody knows whether it ran."""
    return sql == "BEGIN" or sql.startswith("SELECT")
