"""A transaction sends each statement where it stands, and commits all of it or nothing."""

import asyncio
import contextlib
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from pydantic import AwareDatetime, ValidationError
from sqlalchemy import DateTime, Text, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col

from shared.db import Database, Outrun, core
from shared.db.models import Aggregate, table_of
from tests.conftest import MakeDatabase


class Base(SQLModel, registry=registry()):
    """Tables of this test."""


class Folder(Aggregate):
    __tablename__ = "folder"
    name: str = Field(unique=True)
    labels: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    opened: AwareDatetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class FolderTable(Folder, Base, table=True):
    """The table of folders."""


class Sheet(Aggregate):
    __tablename__ = "sheet"
    number: int | None = None
    folder_id: UUID | None = Field(default=None, foreign_key="folder.id")


class SheetTable(Sheet, Base, table=True):
    """The table of sheets."""


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
STRANGE = ['a"b', "c\\d", "e,f", "{g}", "", "NULL", "\u00e9"]
KILL = """
import asyncio, asyncpg, sys

async def kill(url):
    connection = await asyncpg.connect(url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

asyncio.run(kill(sys.argv[1]))
"""
FOLDERS = "SELECT * FROM folder ORDER BY name"


@pytest.fixture
async def database(make_database: MakeDatabase) -> Database:
    """A database of folders and sheets."""
    return await make_database(Base.metadata)


async def names(database: Database) -> list[str]:
    """Return the names of the folders that are there."""
    async with database.transaction() as tx:
        return [folder.name for folder in await tx.rows(Folder, FOLDERS)]


async def test_rows_of_one_table_are_one_statement(database: Database) -> None:
    before = database.round_trips
    async with database.transaction() as tx:
        await tx.insert(*(Sheet(number=number) for number in range(200)))
    assert database.round_trips - before == 3
    async with database.transaction() as tx:
        assert len(await tx.rows(Sheet, "SELECT * FROM sheet")) == 200


async def test_rows_of_several_tables_that_refer_to_each_other_are_one_statement(database: Database) -> None:
    folders = [Folder(name=name) for name in "ba"]
    sheets = [Sheet(number=number, folder_id=folders[number % 2].id) for number in range(5)]
    before = database.round_trips
    async with database.transaction() as tx:
        await tx.insert_at_once(sheets[0], *folders, *sheets[1:])
    assert database.round_trips - before == 3
    assert await names(database) == ["a", "b"]
    async with database.transaction() as tx:
        kept = await tx.rows(Sheet, "SELECT * FROM sheet ORDER BY number")
    assert [(sheet.number, sheet.folder_id) for sheet in kept] == [
        (sheet.number, sheet.folder_id) for sheet in sheets
    ]


async def test_of_rows_of_several_tables_none_is_kept_where_one_is_refused(database: Database) -> None:
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with database.transaction() as tx:
            await tx.insert_at_once(Folder(name="a"), Sheet(folder_id=Sheet().id))
    assert await names(database) == []


async def test_many_rows_of_several_tables_go_table_by_table(database: Database) -> None:
    folders = [Folder(name=f"{number:03}") for number in range(60)]
    sheets = [Sheet(folder_id=folder.id) for folder in folders]
    before = database.round_trips
    async with database.transaction() as tx:
        await tx.insert_at_once(*folders, *sheets)
    assert database.round_trips - before == 4
    async with database.transaction() as tx:
        assert len(await tx.rows(Sheet, "SELECT * FROM sheet")) == 60


async def test_values_come_back_as_they_went(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.insert(Folder(name="one", labels=STRANGE, facts={"a": [1, None, "\u2028"]}, opened=NOON))
    async with database.transaction() as tx:
        [kept] = await tx.rows(Folder, FOLDERS)
    assert (kept.labels, kept.facts, kept.opened) == (STRANGE, {"a": [1, None, "\u2028"]}, NOON)


async def test_an_update_writes_just_what_it_names(database: Database) -> None:
    folder = Folder(name="one", labels=["old"])
    async with database.transaction() as tx:
        await tx.insert(folder)
    async with database.transaction() as tx:
        await tx.run("UPDATE folder SET name = 'two'")
        await tx.update(folder, labels=["new"])
    async with database.transaction() as tx:
        [kept] = await tx.rows(Folder, FOLDERS)
    assert (kept.name, kept.labels) == ("two", ["new"])


async def test_many_rows_are_updated_and_upserted_by_one_statement(database: Database) -> None:
    folders = [Folder(name=name) for name in "ab"]
    async with database.transaction() as tx:
        await tx.insert(*folders)
    for folder in folders:
        folder.labels = [folder.name]
    before = database.round_trips
    async with database.transaction() as tx:
        await tx.update_all(folders, "labels")
        await tx.upsert(*folders, Folder(name="c"))
        await tx.delete(folders[0])
    assert database.round_trips - before == 5
    async with database.transaction() as tx:
        assert [(one.name, one.labels) for one in await tx.rows(Folder, FOLDERS)] == [("b", ["b"]), ("c", [])]


async def test_a_select_of_many_conditions_takes_its_values(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.insert(Folder(name="one"), Folder(name="two"))
        wanted = select(core.columns(FolderTable).name).where(col(FolderTable.name).in_(["two", "three"]))
        assert [record["name"] for record in await tx.select(wanted)] == ["two"]


async def test_a_changed_row_that_is_gone_is_told_and_names_nobody(database: Database) -> None:
    with pytest.raises(Outrun) as caught:
        await _change(database, Folder(name="Mrs Example"))
    assert "Example" not in str(caught.value)


async def test_a_time_without_a_zone_is_refused_when_a_row_is_made_and_when_it_is_written(
    database: Database,
) -> None:
    naive = datetime(2026, 3, 2)  # noqa: DTZ001 - what is refused
    with pytest.raises(ValidationError):
        Folder(name="one", opened=naive)
    folder = Folder(name="one")
    folder.opened = naive
    with pytest.raises(ValueError, match=r"Folder\.opened needs a time with a zone"):
        await _insert(database, folder)
    assert await names(database) == []


def test_a_data_model_without_a_table_is_refused() -> None:
    class Loose(SQLModel):
        """Nobody made it a table."""

    with pytest.raises(TypeError, match="Loose has 0 tables"):
        table_of(Loose)


async def test_an_exception_leaves_nothing_whatever_was_sent_before(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        await _fail_late(database)
    assert await names(database) == []


async def test_connections_that_died_in_the_pool_are_replaced_without_a_word(database: Database) -> None:
    await asyncio.gather(*(names(database) for _ in range(3)))
    assert database.connections()["idle"] > 1
    _kill_all(database)
    assert await names(database) == []


async def test_a_block_that_goes_on_after_a_failed_statement_does_not_pass_for_committed(
    database: Database,
) -> None:
    called: list[str] = []
    with pytest.raises(asyncpg.PostgresError):
        await _go_on_after_a_failure(database, called)
    assert called == []
    assert await names(database) == []


async def test_a_begin_that_was_given_up_does_not_swallow_what_the_next_one_writes(
    database: Database,
) -> None:
    await names(database)
    with pytest.raises(TimeoutError):
        await _give_up_the_begin(database)
    async with database.transaction() as tx:
        await tx.insert(Folder(name="next"))
    stranger = await asyncpg.connect(database.url)
    assert await stranger.fetchval("SELECT count(*) FROM folder") == 1
    await stranger.close()


async def test_a_rollback_that_was_given_up_leaves_nothing_to_the_next_one(database: Database) -> None:
    failing = asyncio.Event()
    task = asyncio.create_task(_fail_late(database, failing))
    await failing.wait()
    task.cancel()
    await asyncio.wait({task})
    assert (database.connections()["used"], task.cancelled()) == (0, True)
    async with database.transaction() as tx:
        await tx.insert(Folder(name="next"))
    assert await names(database) == ["next"]


async def test_callbacks_run_once_after_the_commit(database: Database) -> None:
    called: list[str] = []
    async with database.transaction() as tx:
        tx.after_commit("call", lambda: called.append("first"))
        tx.after_commit("call", lambda: called.append("second"))
        assert called == []
    assert called == ["second"]


async def test_a_cancelled_block_is_rolled_back_and_its_connection_is_free_again(database: Database) -> None:
    sent = asyncio.Event()
    task = asyncio.create_task(_wait_for_ever(database, sent))
    await sent.wait()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert database.connections()["used"] == 0
    assert await names(database) == []


def _kill_all(database: Database) -> None:
    """End all its connections on the server, without letting this process notice."""
    subprocess.run([sys.executable, "-c", KILL, database.url], check=True)


async def _change(database: Database, folder: Folder) -> None:
    async with database.transaction() as tx:
        await tx.update(folder, labels=["new"])


async def _insert(database: Database, folder: Folder) -> None:
    async with database.transaction() as tx:
        await tx.insert(folder)


async def _go_on_after_a_failure(database: Database, called: list[str]) -> None:
    async with database.transaction() as tx:
        tx.after_commit("call", lambda: called.append("committed"))
        await tx.insert(Folder(name="one"))
        with contextlib.suppress(asyncpg.PostgresError):
            await tx.run("SELECT 1 / 0")


async def _fail_late(database: Database, failing: asyncio.Event | None = None) -> None:
    async with database.transaction() as tx:
        await tx.insert(Folder(name="one"))
        if failing is not None:
            failing.set()
        raise ZeroDivisionError


async def _give_up_the_begin(database: Database) -> None:
    async with asyncio.timeout(0), database.transaction():
        raise AssertionError("the BEGIN is given up")


async def _wait_for_ever(database: Database, sent: asyncio.Event) -> None:
    async with database.transaction() as tx:
        await tx.insert(Folder(name="one"))
        sent.set()
        await asyncio.Event().wait()
