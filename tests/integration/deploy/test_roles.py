"""Each service's role may do what its processes do in its own database, and nothing else anywhere."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from deploy.cluster.settings import Plan
from deploy.embedded import EmbeddedPostgres
from deploy.migrating import migrate_databases
from deploy.roles import OWNER, make_databases, make_roles, role_of
from deploy.serve.checks import check_database, check_log
from deploy.settings import Settings, SettingsError, load_settings
from tests.support.folders import open_folder
from tests.support.process import free_port


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plan() -> AsyncIterator[Plan]:
    """A server with roles, its databases made and those of two services migrated for the PostgreSQL log."""
    with open_folder() as folder:
        server = EmbeddedPostgres.start(folder / "data", durable=False, with_roles=True)
        try:
            made = Plan(folder=Path(), transport="postgres", replicas=1, ports={}, socket=server.socket)
            connection = await asyncpg.connect(server.url("postgres"))
            await make_roles(connection, made.passwords)
            await make_databases(connection)
            await connection.close()
            wanted = ("REFERRAL", "SCHEDULING", "IDENTITY", "TRANSPORT")
            owner = {name: text for name, text in made.owner().items() if name.split("_")[1] in wanted}
            await migrate_databases(load_settings(owner))
            yield made
        finally:
            server.stop()


pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("roles")]


def settings(plan: Plan, service: str, *, role: str, password: str | None = None) -> Settings:
    """Name a database as a role, with another password where one is given."""
    url = plan.database_url(service, role=role)
    if password is not None:
        url = url.replace(plan.passwords[role], password)
    return load_settings({f"LUMBAR_{service.upper()}_DATABASE_URL": url})


async def test_a_service_works_in_its_own_database(plan: Plan) -> None:
    connection = await asyncpg.connect(plan.database_url("referral", role=role_of("referral")))
    async with connection.transaction():
        await connection.execute("INSERT INTO relay_epoch (name, epoch) VALUES ('x', 1)")
        await connection.execute("UPDATE relay_epoch SET epoch = 2")
        await connection.execute("DELETE FROM relay_epoch")
        await connection.execute("SELECT nextval(pg_get_serial_sequence('outbox', 'id'))")
    await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "ALTER TABLE outbox ADD COLUMN mine int",
        "DROP TABLE outbox",
        "TRUNCATE outbox",
        "UPDATE audit_event SET actor = 'nobody'",
        "DELETE FROM audit_event",
        "UPDATE audit_patient SET patient_id = 'nobody'",
        "DELETE FROM audit_patient",
        "UPDATE alembic_version SET version_num = '0000'",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "COPY outbox TO PROGRAM 'true'",
    ],
)
async def test_a_service_changes_neither_schema_nor_what_was_audited(plan: Plan, statement: str) -> None:
    connection = await asyncpg.connect(plan.database_url("referral", role=role_of("referral")))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement)
    await connection.close()


async def test_a_service_reads_the_log_of_another_and_nothing_else_there(plan: Plan) -> None:
    connection = await asyncpg.connect(plan.database_url("referral", role=role_of("scheduling")))
    assert await connection.fetchval("SELECT count(*) FROM event_log") == 0
    for statement in ("SELECT * FROM audit_event", "SELECT * FROM outbox", "DELETE FROM event_log"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    await connection.close()


async def test_nobody_else_gets_into_a_database(plan: Plan) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(plan.database_url("identity", role=role_of("referral")))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(plan.database_url("referral", role=role_of("identity")))


async def test_a_start_finds_what_it_needs(plan: Plan) -> None:
    await check_database(settings(plan, "referral", role=role_of("referral")), "referral")
    await check_log(settings(plan, "referral", role=role_of("scheduling")), "referral")
    await check_database(settings(plan, "identity", role=role_of("identity")), "identity")


async def test_a_wrong_password_is_one_line(plan: Plan) -> None:
    wrong = settings(plan, "referral", role=role_of("referral"), password="hush")
    await refused(wrong, "referral", says="refuses this role or its password")


async def test_a_database_that_was_not_migrated_is_one_line(plan: Plan) -> None:
    of_owner = settings(plan, "careteam", role=OWNER)
    await refused(of_owner, "careteam", says="is at version none, 0")


async def test_a_role_that_may_not_connect_is_one_line(plan: Plan) -> None:
    foreign = settings(plan, "scheduling", role=role_of("identity"))
    await refused(foreign, "scheduling", says="this role may not connect to that database")


async def test_a_database_that_is_not_there_is_one_line(plan: Plan) -> None:
    url = plan.database_url("referral", role=role_of("referral")).replace("/referral?", "/nowhere?")
    await refused(
        load_settings({"LUMBAR_REFERRAL_DATABASE_URL": url}), "referral", says="has no such database"
    )


async def test_a_superuser_is_refused(plan: Plan) -> None:
    url = f"postgresql://lumbar:hush@/referral?host={plan.socket}"
    await refused(load_settings({"LUMBAR_REFERRAL_DATABASE_URL": url}), "referral", says="names a superuser")


async def test_a_server_that_does_not_answer_is_one_line() -> None:
    url = f"postgresql://lumbar_referral:hush@127.0.0.1:{free_port()}/referral"
    await refused(
        load_settings({"LUMBAR_REFERRAL_DATABASE_URL": url}), "referral", says="no database answers at 127.0"
    )


async def test_migrations_are_not_run_by_a_service(plan: Plan) -> None:
    with pytest.raises(SettingsError, match=r"^LUMBAR_REFERRAL_DATABASE_URL: this role may not change"):
        await migrate_databases(settings(plan, "referral", role=role_of("referral")))


async def test_on_kafka_nobody_reads_the_log_of_another_any_more(plan: Plan) -> None:
    url = plan.database_url("referral", role=OWNER)
    await migrate_databases(load_settings({"LUMBAR_REFERRAL_DATABASE_URL": url}))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(plan.database_url("referral", role=role_of("scheduling")))


async def refused(wrong: Settings, service: str, *, says: str) -> None:
    """Look that a start is refused with one line that names the setting and no password."""
    with pytest.raises(SettingsError) as told:
        await check_database(wrong, service)
    text = str(told.value)
    assert text.startswith(f"LUMBAR_{service.upper()}_DATABASE_URL: ")
    assert says in text
    assert "\n" not in text
    assert "hush" not in text
