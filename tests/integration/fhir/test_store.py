"""Keeping a resource in a real database: its versions, its history, its meta."""

import asyncio
import random
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlmodel import SQLModel
from sqlmodel.main import registry

from shared.db import Database, Outrun
from shared.db.models import Resource
from shared.db.tables import add_shared_tables
from shared.fhir import store
from tests.support.history import versions_of
from tests.support.sql import sql


class Base(SQLModel, registry=registry()):
    """The tables of this test."""


class Kept(Resource):
    """A row to keep."""

    __tablename__ = "kept"


class KeptTable(Kept, Base, table=True):
    """Its table."""


add_shared_tables(Base.metadata)
NOON = datetime(2026, 1, 5, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=-5)))
RECEIVED = (
    b'{"resourceType":"Observation","id":"theirs","meta":{"versionId":"77","lastUpdated":"2020-01-01T00:00:00Z",'
    b'"profile":["http://p"],"tag":[{"code":"t"}]},"valueQuantity":{"value":250.50}}'
)


@pytest.fixture
async def db(make_database: Any) -> Database:
    """An empty database."""
    made: Database = await make_database(Base.metadata)
    return made


async def versions(db: Database) -> list[tuple[str, str, int, datetime, bytes]]:
    """Give the history as it stands, the newest version with it."""
    async with db.transaction() as tx:
        found = await sql(tx, f"SELECT * FROM ({await versions_of(db)}) AS every ORDER BY version")
        return [tuple(row) for row in found]  # type: ignore[misc]


async def test_a_version_goes_to_the_history_when_it_is_replaced(db: Database) -> None:
    row = Kept()
    async with db.transaction() as tx:
        await store.insert(tx, row, RECEIVED, at=NOON)
    async with db.transaction() as tx:
        again = await tx.row(Kept, "SELECT * FROM kept WHERE id = $1 FOR UPDATE", row.id)
        assert again is not None
        await store.update(tx, again, again.body, at=NOON + timedelta(hours=1), overlay={"status": "final"})
    found = await versions(db)
    assert [(kind, id, version) for kind, id, version, _, _ in found] == [
        ("Observation", str(row.id), 1),
        ("Observation", str(row.id), 2),
    ]
    assert found[1][3] == NOON + timedelta(hours=1)
    assert found[1][4] == again.body
    assert b'"status"' not in found[0][4]
    assert await db.fetch("SELECT version FROM resource_version") == [(1,)]


async def test_id_and_version_are_ours_and_the_rest_of_meta_stays(db: Database) -> None:
    row = Kept()
    async with db.transaction() as tx:
        await store.insert(tx, row, RECEIVED, at=NOON)
    kept = msgspec.json.decode(row.body)
    assert kept["id"] == str(row.id)
    assert kept["meta"] == {
        "versionId": "1",
        "lastUpdated": "2026-01-05T17:00:00.123Z",
        "profile": ["http://p"],
        "tag": [{"code": "t"}],
    }
    assert b'"value":250.50' in row.body
    assert row.last_updated == NOON.astimezone(UTC)


async def test_many_are_written_by_one_statement_or_none_of_them(db: Database) -> None:
    rows = [Kept() for _ in range(3)]
    async with db.transaction() as tx:
        for row in rows:
            await store.insert(tx, row, RECEIVED, at=NOON)
    await change_all(db, rows)
    async with db.transaction() as tx:
        await tx.run("UPDATE kept SET version = 7 WHERE id = $1", rows[1].id)
    with pytest.raises(Outrun, match="one Observation was changed by somebody else"):
        await change_all(db, rows)
    async with db.transaction() as tx:
        found = await tx.records("SELECT version FROM kept ORDER BY version")
    assert [record["version"] for record in found] == [2, 2, 7]


async def change_all(db: Database, rows: list[Kept]) -> None:
    """Store the next versions of these together."""
    before = [row.version for row in rows]
    for row in rows:
        store.fill(row, row.body, at=NOON)
    async with db.transaction() as tx:
        await store.update_all(tx, list(zip(rows, before, strict=True)))


async def fail_after_insert(db: Database) -> None:
    """Store a resource in a transaction that fails."""
    async with db.transaction() as tx:
        await store.insert(tx, Kept(), RECEIVED, at=NOON)
        raise RuntimeError("after all not")


async def test_a_transaction_that_fails_leaves_no_version(db: Database) -> None:
    with pytest.raises(RuntimeError, match="after all"):
        await fail_after_insert(db)
    assert await versions(db) == []


async def changed(db: Database, id: UUID, *, at: datetime, begun: asyncio.Event, go: asyncio.Event) -> None:
    """Change a row in a transaction that began, with its time, before it got the lock."""
    async with db.transaction() as tx:
        await tx.value("SELECT 1")
        begun.set()
        await go.wait()
        row = await tx.row(Kept, "SELECT * FROM kept WHERE id = $1 FOR UPDATE", id)
        assert row is not None
        await store.update(tx, row, row.body, at=at, overlay={"status": at.isoformat()})


async def test_a_version_is_never_older_than_the_one_before_whoever_began_first(db: Database) -> None:
    row = Kept()
    async with db.transaction() as tx:
        await store.insert(tx, row, RECEIVED, at=NOON)
    begun, go = asyncio.Event(), asyncio.Event()
    earlier = NOON + timedelta(seconds=1)
    waits = asyncio.create_task(changed(db, row.id, at=earlier, begun=begun, go=go))
    await begun.wait()
    now = asyncio.Event()
    now.set()
    await changed(db, row.id, at=NOON + timedelta(seconds=2), begun=asyncio.Event(), go=now)
    go.set()
    await waits
    found = await versions(db)
    assert [at for _, _, _, at, _ in found] == [NOON + timedelta(seconds=after) for after in (0, 2, 2)]
    told = [msgspec.json.decode(body)["meta"]["lastUpdated"] for *_, body in found]
    assert told == sorted(told)
    assert msgspec.json.decode(found[-1][4])["status"] == earlier.isoformat()


async def test_no_order_of_times_makes_the_history_go_back(db: Database) -> None:
    rows = [Kept() for _ in range(4)]
    async with db.transaction() as tx:
        for row in rows:
            await store.insert(tx, row, RECEIVED, at=NOON)
    async with db.transaction() as tx:
        for _ in range(25):
            before = [(row, row.version) for row in rows]
            for row in rows:
                shaken = NOON + timedelta(seconds=random.uniform(-60, 60))
                store.fill(row, row.body, at=shaken)
            await store.update_all(tx, before)
    found = await versions(db)
    for row in rows:
        times = [at for _, id, _, at, _ in sorted(found, key=lambda version: version[2]) if id == str(row.id)]
        assert len(times) == 26
        assert times == sorted(times)
