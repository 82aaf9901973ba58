"""Single reads without a transaction of their own: one round trip on a connection of the pool."""

from typing import Any

import asyncpg

from shared.db import Database


async def fetch(database: Database, statement: str, *values: Any) -> list[asyncpg.Record]:
    """Run one SELECT with `$1` parameters by itself and give its rows."""
    return await database.fetch(statement, *values)
