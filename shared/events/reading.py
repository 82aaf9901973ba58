"""Single reads without a transaction of their own: one round trip on a connection of the pool."""

from typing import Any

import asyncpg

from shared.db import Database


async def fetch(database: Database, statement: str, *values: Any) -> list[asyncpg.Record]:
    """Run one SELECT with `$1` parameters by itself and give its rows."""
    async with database.engine.connect() as connection:
        raw = await connection.get_raw_connection()
        driver = raw.driver_connection
        if driver is None:
            raise asyncpg.InterfaceError("the pool gave no connection")
        try:
            rows: list[asyncpg.Record] = await driver.fetch(statement, *values)
        except BaseException:
            await connection.invalidate()
            raise
    return rows
