"""A database as an operator sees it: does it answer, and how many of its connections are in use."""

import asyncio
from collections.abc import Mapping

import asyncpg

from shared.db.database import Database

_ANSWERS_WITHIN = 2.0


class DatabaseHealth:
    """One service's database, for readiness and figures."""

    def __init__(self, database: Database) -> None:
        self.name = database.name
        self._database = database

    async def ping(self) -> bool:
        """Tell whether a statement is answered within two seconds."""
        try:
            async with asyncio.timeout(_ANSWERS_WITHIN):
                await self._database.fetch("SELECT 1")
            return True
        except (TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            return False

    def connections(self) -> Mapping[str, int]:
        """Tell how many connections are idle and how many are used."""
        idle, used = self._database.connections()
        return {"idle": idle, "used": used}

    @property
    def max_connections(self) -> int:
        """How many connections may be open at once."""
        return self._database.max_connections
