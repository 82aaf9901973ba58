"""`lumbar migrate` of the distributed shape: schema, rights and topics, run as the databases' owner.

It is run before the processes of a new version start; a process finds its schema or newer, or does not start.
"""

from collections.abc import Mapping

from deploy.events import prepare_topics
from deploy.roles import grant
from deploy.serve.checks import open_checked
from deploy.services import DATABASES, package
from deploy.settings import Settings, SettingsError, variable
from deploy.shape import check_events, database_url, transport_of
from shared.db import Database, migrate


async def migrate_all(settings: Settings) -> Mapping[str, str | None]:
    """Bring every database that is named to this version, and tell the versions.

    Raises SettingsError with one line where a database or Kafka cannot be reached.
    """
    check_events(settings)
    versions = await migrate_databases(settings)
    await prepare_topics(settings)
    return versions


async def migrate_databases(settings: Settings) -> Mapping[str, str | None]:
    """Bring every database that is named to this version, its roles with their rights."""
    return {
        service: await _migrate(settings, service)
        for service in DATABASES
        if getattr(settings, f"{service}_database_url") is not None
    }


async def _migrate(settings: Settings, service: str) -> str | None:
    connection = await open_checked(settings, service)
    try:
        await _refuse_without_rights(connection, service)
        database = Database.connect(database_url(settings, service), name=service, pool_size=1)
        try:
            version = await _bring_up_to_date(database, service)
        finally:
            await database.close()
        await grant(connection, service, logs_are_read=transport_of(settings) == "postgres")
    finally:
        await connection.close()
    return version


async def _bring_up_to_date(database: Database, service: str) -> str | None:
    await migrate.upgrade(database, package=package(service))
    return await migrate.current(database)


async def _refuse_without_rights(connection: object, service: str) -> None:
    may = await connection.fetchval(  # type: ignore[attr-defined]
        "SELECT has_schema_privilege('public', 'CREATE')"
    )
    if not may:
        raise SettingsError(
            f"{variable(f'{service}_database_url')}: this role may not change the schema; migrations run as"
            " the database's owner"
        )
