"""`python -m tests.support.extra_statement`: `bench check` on a build with one statement too many.

Every transaction asks the database something that nobody needs, as a careless change might.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from unittest.mock import patch

from bench.__main__ import main
from shared.db import Database, Transaction

_transaction = Database.transaction


@asynccontextmanager
async def _careless(database: Database) -> AsyncIterator[Transaction]:
    async with _transaction(database) as tx:
        await tx.value("SELECT version()")
        yield tx


if __name__ == "__main__":
    with patch.object(Database, "transaction", _careless):
        main()
