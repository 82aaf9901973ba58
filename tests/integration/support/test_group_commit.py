"""What is written at the same moment goes as one statement, and nobody pays for another's mistake."""

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest
from sqlalchemy import select
from sqlalchemy.orm import registry
from sqlmodel import Field, col

from shared.db import AggregateRow, Database, Outrun, Row, Write
from shared.db.pool import LOST
from tests.conftest import MakeDatabase
from tests.support.eventually import eventually


class Base(Row, registry=registry()):
    """The tables of this test."""


class Folder(AggregateRow, Base, table=True):
    __tablename__ = "folder"
    name: str = Field(unique=True)
    place: int = 0


class Claimed(Base, table=True):
    __tablename__ = "claimed"
    name: str = Field(primary_key=True)


class Newest(Base, table=True):
    __tablename__ = "newest"
    name: str = Field(primary_key=True)
    number: int


CLAIM = Write.into("claimed", {"name": "text"}, conflict="ON CONFLICT DO NOTHING", claim=1)
NEWEST = Write.into(
    "newest",
    {"name": "text", "number": "int4"},
    conflict="ON CONFLICT (name) DO UPDATE SET number = excluded.number",
    key=("name",),
)
TEN = [f"f{number}" for number in range(10)]


@pytest.fixture
async def database(make_database: MakeDatabase) -> Database:
    """A database of folders, with a connection that is warm."""
    made = await make_database(Base.metadata)
    await made.fetch("SELECT 1")
    return made


async def test_ten_at_once_are_one_statement_and_each_is_told_of_its_commit(database: Database) -> None:
    told: list[str] = []
    before = database.round_trips

    await asyncio.gather(*(_add(database, name, told) for name in TEN))

    assert database.round_trips - before == 1
    assert (await _names(database), sorted(told)) == (TEN, TEN)


async def test_of_more_than_sixteen_the_rest_is_a_group_of_its_own(database: Database) -> None:
    before = database.round_trips
    await asyncio.gather(*(_add(database, f"f{number}") for number in range(20)))
    assert database.round_trips - before == 2
    assert len(await _names(database)) == 20


async def test_of_ten_the_one_that_is_refused_fails_alone(database: Database) -> None:
    await _add(database, "f3")
    told: list[str] = []

    found = await asyncio.gather(*(_add(database, name, told) for name in TEN), return_exceptions=True)

    assert [type(one) for one in found if one is not None] == [asyncpg.UniqueViolationError]
    assert isinstance(found[3], asyncpg.UniqueViolationError)
    assert await _names(database) == TEN
    assert "f3" not in told


async def test_a_value_that_cannot_be_sent_fails_its_own_transaction_alone(database: Database) -> None:
    adding = [_add(database, "f0"), _add(database, "f1", place=2**40), _add(database, "f2")]
    found = await asyncio.gather(*adding, return_exceptions=True)
    assert [type(one) for one in found] == [type(None), asyncpg.DataError, type(None)]
    assert await _names(database) == ["f0", "f2"]


async def test_of_two_that_claim_the_same_in_one_group_one_comes_through(database: Database) -> None:
    claims = (_claim(database, name) for name in ("a", "b", "a", "c"))
    found = await asyncio.gather(*claims, return_exceptions=True)
    assert sum(isinstance(one, Outrun) for one in found) == 1
    async with database.transaction() as tx:
        assert sorted(await tx.all(select(col(Claimed.name)))) == ["a", "b", "c"]


async def test_what_changes_rows_or_overwrites_is_put_together_with_nobody(database: Database) -> None:
    await asyncio.gather(*(_add(database, name) for name in TEN))
    before = database.round_trips
    await asyncio.gather(*(_move(database, name) for name in TEN))
    assert database.round_trips - before == 20
    await asyncio.gather(*(_overwrite(database, number) for number in range(5)))
    assert database.round_trips - before == 25


async def test_who_gives_up_waiting_takes_nobody_elses_write_away(database: Database) -> None:
    async with _locked(database):
        adding = [asyncio.create_task(_add(database, name)) for name in TEN]
        await eventually(lambda: _waits(database))
        adding[0].cancel()
        await asyncio.wait({adding[0]})
    found = await asyncio.gather(*adding, return_exceptions=True)
    assert [one for one in found[1:] if one is not None] == []
    assert await _names(database) == TEN


async def test_all_are_told_when_the_connection_is_lost_and_the_next_are_written(database: Database) -> None:
    async with _locked(database) as other:
        adding = [asyncio.create_task(_add(database, name)) for name in TEN]
        await eventually(lambda: _waits(database))
        await other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        found = await asyncio.gather(*adding, return_exceptions=True)
    assert all(isinstance(one, LOST) for one in found)
    await asyncio.gather(*(_add(database, name) for name in TEN))
    assert await _names(database) == TEN


class _locked:
    """Lock the table of folders against writes for the duration of the block."""

    def __init__(self, database: Database) -> None:
        self._url = database.url

    async def __aenter__(self) -> asyncpg.Connection:
        self._connection = await asyncpg.connect(self._url)
        await self._connection.execute("BEGIN; LOCK TABLE folder IN SHARE MODE")
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()


async def _add(database: Database, name: str, told: list[str] | None = None, *, place: int = 0) -> None:
    async with database.transaction() as tx:
        tx.add(Folder(name=name, place=place))
        if told is not None:
            tx.after_commit("tell", lambda: told.append(name))


async def _claim(database: Database, name: str) -> None:
    async with database.transaction() as tx:
        tx.write(CLAIM, name)


async def _overwrite(database: Database, number: int) -> None:
    async with database.transaction() as tx:
        tx.write(NEWEST, "a", number)


async def _move(database: Database, name: str) -> None:
    async with database.transaction() as tx:
        folder = await tx.first(select(Folder).where(col(Folder.name) == name))
        assert folder is not None
        folder.place += 1


async def _names(database: Database) -> Sequence[str]:
    async with database.transaction() as tx:
        return sorted(await tx.all(select(col(Folder.name))))


async def _waits(database: Database) -> bool:
    found = await database.fetch(
        "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    return bool(found)
