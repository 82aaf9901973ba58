"""A new connection does not ask again what a process knows of PostgreSQL's own types."""

from typing import Any

import asyncpg
import pytest

from shared.db import Database, connection
from tests.conftest import MakeDatabase
from tests.integration.support.test_databases import Base
from tests.support.roundtrips import round_trips

_ARRAYS = "SELECT $1::bigint[] AS numbers, $2::jsonb[] AS facts, ARRAY[now()] AS times"


async def _arrays(database: Database) -> dict[str, Any]:
    opened = await database.open_connection()
    try:
        found: asyncpg.Record = await opened.fetchrow(_ARRAYS, [1, 2], [{"a": 1}])
        return dict(found)
    finally:
        await opened.close()


async def test_a_second_connection_asks_nothing_and_reads_the_same(
    make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_told", {})
    database = await make_database(Base.metadata)
    with round_trips() as first:
        assert (await _arrays(database))["facts"] == [{"a": 1}]
    with round_trips() as second:
        found = await _arrays(database)
    assert (found["numbers"], found["facts"]) == ([1, 2], [{"a": 1}])
    assert second == {"prepare": 1, "bind_execute": 1}
    assert first > second


async def test_what_a_database_names_itself_is_asked_of_each(
    make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_told", {})
    database = await make_database(Base.metadata)
    async with database.transaction() as tx:
        await tx.run("DROP TYPE IF EXISTS mood")
        await tx.run("CREATE TYPE mood AS ENUM ('calm')")
        assert await tx.value("SELECT ARRAY['calm']::mood[]") == ["calm"]
        await tx.run("DROP TYPE mood")
    assert connection._told == {}
