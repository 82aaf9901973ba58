"""Migrations build what the models declare, all or nothing."""

from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text
from sqlalchemy.exc import DBAPIError

from deploy.services import DATABASES, metadata, package
from shared.db import Database, migrate
from tests.conftest import MakeDatabase
from tests.support.schema import schema
from tests.support.sql import sql

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("service", DATABASES)
async def test_the_migrations_of_a_service_build_what_its_models_declare(
    make_database: MakeDatabase, service: str
) -> None:
    migrated = await make_database(MetaData())
    await migrate.upgrade(migrated, package=package(service))
    declared = await make_database(metadata(service))
    assert await schema(migrated) == await schema(declared)
    assert await migrate.current(migrated) == migrate.head(package(service))


@pytest.mark.parametrize("service", DATABASES)
def test_every_migration_gives_up_rather_than_wait_for_a_lock(service: str) -> None:
    versions = sorted((ROOT / package(service).replace(".", "/") / "migrations" / "versions").glob("*.py"))
    assert versions
    assert [path.name for path in versions if "SET LOCAL lock_timeout" not in path.read_text()] == []


async def test_a_second_upgrade_changes_nothing(make_database: MakeDatabase) -> None:
    database = await make_database(MetaData())
    await migrate.upgrade(database, package=package("referral"))
    before = await schema(database)
    await migrate.upgrade(database, package=package("referral"))
    assert await schema(database) == before


@pytest.mark.parametrize("statement", [
    "ALTER TABLE audit_event ADD COLUMN surplus text",
    "ALTER TABLE audit_event ALTER COLUMN actor DROP NOT NULL",
    "ALTER TABLE audit_event ADD CONSTRAINT named CHECK (actor <> '')",
    "CREATE INDEX surplus ON audit_event (actor)",
])  # fmt: skip
async def test_a_difference_between_two_schemas_is_seen(make_database: MakeDatabase, statement: str) -> None:
    database = await make_database(MetaData())
    await migrate.upgrade(database, package=package("referral"))
    before = await schema(database)
    async with database.transaction() as tx:
        await sql(tx, statement)
    assert await schema(database) != before


async def test_an_upgrade_that_fails_leaves_nothing_behind(make_database: MakeDatabase) -> None:
    database = await make_database(MetaData())
    async with database.transaction() as tx:
        await sql(tx, "CREATE TABLE outbox (id int)")
    with pytest.raises(DBAPIError):
        await migrate.upgrade(database, package=package("referral"))
    assert await migrate.current(database) is None
    assert await _tables(database) == ["outbox"]


async def test_a_revision_holds_what_the_models_have_beyond_the_database(
    make_database: MakeDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "toyservice" / "migrations").mkdir(parents=True)
    (tmp_path / "toyservice" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    wanted = MetaData()
    Table("visit", wanted, Column("id", Integer, primary_key=True), Column("note", Text, nullable=False))
    database = await make_database(MetaData())
    written = await migrate.write_revision(database, wanted, package="toyservice", title="Keep visits")
    assert written is not None
    assert written.name == "0001_keep_visits.py"
    text = written.read_text()
    assert 'op.execute("SET LOCAL lock_timeout' in text
    assert "op.create_table('visit'" in text


async def _tables(database: Database) -> list[str]:
    async with database.transaction() as tx:
        found = await sql(tx, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return list(found.column())
