"""The databases of the tests are what they promise to be."""

import pytest
from sqlalchemy import MetaData
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from shared.db import Database
from shared.db.tables import add_shared_tables
from tests.conftest import MakeDatabase
from tests.support.sql import sql


class Base(SQLModel, registry=registry()):
    """Tables of this test."""


class Note(Base, table=True):
    id: int | None = Field(default=None, primary_key=True)
    text: str


add_shared_tables(Base.metadata)


async def test_a_raw_statement_before_any_other_is_rolled_back(make_database: MakeDatabase) -> None:
    database = await make_database(Base.metadata)
    await database.close()
    with pytest.raises(ZeroDivisionError):
        await _insert_raw_and_fail(database)
    assert await _count(database) == 0


@pytest.mark.parametrize("turn", ["first", "second"])
async def test_a_database_is_empty_at_the_start_of_each_test(make_database: MakeDatabase, turn: str) -> None:
    database = await make_database(Base.metadata)
    assert await _count(database) == 0
    async with database.transaction() as tx:
        await tx.run("INSERT INTO note (text) VALUES ($1)", turn)
    assert await _count(database) == 1


async def test_two_metadata_are_two_databases(make_database: MakeDatabase) -> None:
    first = await make_database(Base.metadata)
    second = await make_database(MetaData())
    assert first.engine.url.database != second.engine.url.database


async def _count(database: Database) -> int:
    async with database.transaction() as tx:
        found = (await sql(tx, "SELECT count(*) FROM note")).scalar()
    return int(found)


async def _insert_raw_and_fail(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.run("INSERT INTO note (text) VALUES ('first')")
        raise ZeroDivisionError
