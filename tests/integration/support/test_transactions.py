"""A transaction sends what it must, when it must, and nothing twice."""

import asyncio
import contextlib
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Text, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, col

from shared.db import AggregateRow, Database, Outrun, Row, Write
from tests.conftest import MakeDatabase


class Base(Row, registry=registry()):
    """Tables of this test."""


class Folder(AggregateRow, Base, table=True):
    __tablename__ = "folder"
    name: str = Field(unique=True)
    labels: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)


class Sheet(AggregateRow, Base, table=True):
    __tablename__ = "sheet"
    held_in: Any = Field(foreign_key="folder.id", sa_type=Folder.__table__.c.id.type)  # type: ignore[attr-defined]
    number: int | None = None


CLAIM = Write.into(
    "folder",
    {"id": "uuid", "event_version": "int4", "name": "text", "labels": "text[]", "facts": "jsonb"},
    conflict="ON CONFLICT DO NOTHING",
    claim=1,
)
STRANGE = ['a"b', "c\\d", "e,f", "{g}", "", "NULL", "\u00e9"]


@pytest.fixture
async def database(make_database: MakeDatabase) -> Database:
    """A database of folders and sheets, with a connection that is warm."""
    made = await make_database(Base.metadata)
    await made.fetch("SELECT 1")
    return made


async def test_writes_of_many_tables_are_one_statement_without_begin_and_commit(database: Database) -> None:
    before = database.round_trips
    async with database.transaction() as tx:
        folder = Folder(name="one", facts={"at": "first"})
        for number in range(200):
            tx.add(Sheet(held_in=folder.id, number=number))
        tx.add(folder)
        folder.facts = {"changed": "before it was sent"}
    assert database.round_trips - before == 1
    async with database.transaction() as tx:
        (kept,) = await tx.all(select(Folder))
        numbers = await tx.all(select(col(Sheet.number)).order_by(col(Sheet.id)))
    assert kept.facts == {"changed": "before it was sent"}
    assert list(numbers) == list(range(200))


async def test_values_come_back_as_they_went(database: Database) -> None:
    async with database.transaction() as tx:
        tx.add(Folder(name="one", labels=STRANGE, facts={"a": [1, None, "\u2028"]}))
    async with database.transaction() as tx:
        (kept,) = await tx.all(select(Folder))
    assert (kept.labels, kept.facts) == (STRANGE, {"a": [1, None, "\u2028"]})


async def test_a_plain_read_sends_only_what_its_tables_wait_for(database: Database) -> None:
    async with database.transaction() as tx:
        tx.add(Folder(name="one"))
        assert await tx.all(select(Sheet)) == []
        assert len(tx.added(Folder)) == 1
        assert len(await tx.all(select(Folder))) == 1
        assert tx.added(Folder) == []


async def test_only_what_changed_is_updated_and_a_row_is_one_object(database: Database) -> None:
    async with database.transaction() as tx:
        tx.add(Folder(name="one"))
    before = database.round_trips
    async with database.transaction() as tx:
        (folder,) = await tx.all(select(Folder))
        assert await tx.get(Folder, folder.id) is folder
        folder.name, folder.labels = folder.name, ["new"]
    assert database.round_trips - before == 2
    async with database.transaction() as tx:
        assert (await tx.all(select(Folder)))[0].labels == ["new"]


async def test_an_exception_leaves_nothing_whatever_was_sent_before(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        await _fail_late(database)
    async with database.transaction() as tx:
        assert await tx.all(select(Folder)) == []


async def test_a_claim_that_is_taken_undoes_the_rest_and_names_nobody(database: Database) -> None:
    async with database.transaction() as tx:
        tx.add(Folder(name="taken"))
    with pytest.raises(Outrun) as caught:
        await _claim(database, "free", "taken")
    assert "taken" not in str(caught.value)
    async with database.transaction() as tx:
        assert list(await tx.all(select(col(Folder.name)))) == ["taken"]


async def test_of_ten_claims_at_once_one_comes_through(database: Database) -> None:
    claims = (_claim(database, "a", "b") for _ in range(10))
    found = await asyncio.gather(*claims, return_exceptions=True)
    assert sum(result is None for result in found) == 1
    assert sum(isinstance(result, Outrun) for result in found) == 9


async def test_a_changed_row_that_is_gone_is_told(database: Database) -> None:
    async with database.transaction() as tx:
        tx.add(Folder(name="one"))
    with pytest.raises(Outrun):
        await _change_what_is_deleted(database)


async def test_a_connection_that_died_in_the_pool_is_replaced_without_a_word(database: Database) -> None:
    name = database.url.rpartition("/")[2].partition("?")[0]
    await database.fetch("SELECT 1")
    killer = await asyncpg.connect(database.url)
    await killer.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = $1 AND pid <> pg_backend_pid()",
        name,
    )
    await killer.close()
    async with database.transaction() as tx:
        assert await tx.all(select(Folder)) == []


async def test_what_needs_a_session_is_inside_a_real_transaction(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute(text("SELECT pg_advisory_xact_lock(1)"))
        driver = await tx.driver()
        held = await driver.fetchval(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        )
    assert held == 1


async def test_a_block_that_goes_on_after_a_failed_statement_does_not_pass_for_committed(
    database: Database,
) -> None:
    called: list[str] = []
    with pytest.raises(asyncpg.PostgresError):
        await _go_on_after_a_failure(database, called)
    assert called == []
    async with database.transaction() as tx:
        assert await tx.all(select(Folder)) == []


async def test_a_begin_that_was_given_up_does_not_swallow_what_the_next_one_writes(
    database: Database,
) -> None:
    with pytest.raises(ZeroDivisionError):
        await _give_up_the_begin(database)
    async with database.transaction() as tx:
        tx.add(Folder(name="next"))
    stranger = await asyncpg.connect(database.url)
    assert await stranger.fetchval("SELECT count(*) FROM folder") == 1
    await stranger.close()


async def test_a_rollback_that_was_given_up_gives_its_place_in_the_pool_back(database: Database) -> None:
    failing = asyncio.Event()
    task = asyncio.create_task(_fail_late(database, failing))
    await failing.wait()
    task.cancel()
    await asyncio.wait({task})
    assert (database.pool.used, task.cancelled()) == (0, True)


async def test_a_row_by_key_is_as_this_transaction_has_left_it(database: Database) -> None:
    written, removed = Folder(name="written"), Folder(name="removed")
    async with database.transaction() as tx:
        tx.add(removed)
    async with database.transaction() as tx:
        known = await tx.get(Folder, removed.id)
        assert known is not None
        await tx.remove(known)
        assert await tx.get(Folder, removed.id) is None
        tx.write(CLAIM, written.id, 0, "written", [], {})
        assert await tx.get(Folder, written.id) is not None


async def test_a_statement_for_rows_takes_its_parameters(database: Database) -> None:
    async with database.transaction() as tx:
        tx.add(Folder(name="one"))
        tx.add(Folder(name="two"))
        asked = select(Folder).where(col(Folder.name) == bindparam("wanted"))
        found = (await tx.execute(asked, {"wanted": "two"})).scalars().all()
    assert [folder.name for folder in found] == ["two"]


async def _go_on_after_a_failure(database: Database, called: list[str]) -> None:
    async with database.transaction() as tx:
        tx.after_commit("call", lambda: called.append("committed"))
        tx.add(Folder(name="one"))
        await tx.flush()
        with contextlib.suppress(asyncpg.PostgresError):
            await (await tx.driver()).execute("SELECT 1 / 0")


async def _give_up_the_begin(database: Database) -> None:
    async with database.transaction() as tx:
        try:
            async with asyncio.timeout(0):
                await tx.driver()
        except TimeoutError:
            raise ZeroDivisionError from None


async def _fail_late(database: Database, failing: asyncio.Event | None = None) -> None:
    async with database.transaction() as tx:
        tx.add(Folder(name="one"))
        await tx.flush()
        if failing is not None:
            failing.set()
        raise ZeroDivisionError


async def _claim(database: Database, *names: str) -> None:
    async with database.transaction() as tx:
        for name in names:
            tx.write(CLAIM, Folder(name=name).id, 0, name, [], {})


async def _change_what_is_deleted(database: Database) -> None:
    async with database.transaction() as tx:
        (folder,) = await tx.all(select(Folder))
        await database.fetch("DELETE FROM folder")
        folder.name = "another"


NOTE = Write.into(
    "folder", {"id": "uuid", "event_version": "int4", "name": "text", "labels": "text[]", "facts": "jsonb"}
)


async def test_a_reading_takes_its_note_along_in_one_round_trip(database: Database) -> None:
    kept = Folder(name="kept")
    async with database.transaction() as tx:
        tx.add(kept)
        tx.add(Sheet(held_in=kept.id, number=7))
    before = database.round_trips
    async with database.transaction() as tx:
        tx.write(NOTE, Folder().id, 0, "read", ["a"], {"by": "x"})
        tx.carry()
        rows = (await tx.execute(select(Sheet).where(col(Sheet.number) == 7))).all()
    assert ([row[0].number for row in rows], database.round_trips - before) == ([7], 1)
    async with database.transaction() as tx:
        names = await tx.all(select(col(Folder.name)).order_by(col(Folder.name)))
    assert names == ["kept", "read"]


async def fail_before_reading(database: Database) -> None:
    async with database.transaction() as tx:
        tx.write(NOTE, Folder().id, 0, "never", [], {})
        tx.carry()
        raise RuntimeError


async def test_what_changes_a_row_is_not_taken_along_by_a_reading(database: Database) -> None:
    async with database.transaction() as tx:
        tx.add(Folder(name="new"))
        tx.write(NOTE, Folder().id, 0, "note", [], {})
        tx.carry()
        assert (await tx.execute(select(Sheet))).all() == []
        assert len(tx.added(Folder)) == 1
    with pytest.raises(RuntimeError):
        await fail_before_reading(database)
    async with database.transaction() as tx:
        assert await tx.all(select(col(Folder.name)).order_by(col(Folder.name))) == ["new", "note"]
