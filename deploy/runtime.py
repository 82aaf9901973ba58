"""The embedded shape: one server, a database per service, and the Runtime that each service is handed.

The authorization server has a database of its own beside them, which is in no service's hands.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import asyncpg

from deploy import reasons
from deploy.services import DATABASES, SERVICES, package
from shared.auth.verifier import TokenVerifier
from shared.clinic import Clinic
from shared.clinic.current import CurrentClinic
from shared.clock import Clock
from shared.db import Database, addresses, migrate
from shared.events.transport.base import Transport
from shared.events.transport.postgres_log import PostgresTransport
from shared.runtime import Runtime


async def open_databases(url: Callable[[str], str]) -> dict[str, Database]:
    """Connect to every service's database on a server, each made and migrated where it must be."""
    await make_missing(url)
    databases = {service: Database.connect(url(service), name=service) for service in SERVICES}
    for service, database in databases.items():
        await migrate.upgrade(database, package=package(service))
    return databases


async def remember_addresses(databases: Mapping[str, Database], url: str) -> dict[str, tuple[str, ...]]:
    """Keep the public address of now for each service, and return those of before."""
    return {service: await addresses.remember(database, url) for service, database in databases.items()}


async def close_databases(databases: Mapping[str, Database]) -> None:
    """Close every connection."""
    for database in databases.values():
        await database.close()


async def current_versions(databases: Mapping[str, Database]) -> dict[str, str | None]:
    """Tell the version of every database's schema."""
    return {service: await migrate.current(database) for service, database in databases.items()}


def make_runtimes(
    databases: Mapping[str, Database],
    *,
    clock: Clock,
    clinic: Clinic,
    verifier: TokenVerifier,
    base_url: str,
    smtp_url: str | None = None,
    sms_url: str | None = None,
    transport: Transport | None = None,
    cors: bool = False,
    former_urls: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> dict[str, Runtime]:
    """Make the Runtime of every service; without a transport the events stay in PostgreSQL."""
    carries = transport or PostgresTransport(databases)
    return {
        service: Runtime(
            service=service,
            database=database,
            clock=clock,
            current=CurrentClinic(clinic),
            transport=carries,
            verifier=verifier,
            base_url=base_url,
            smtp_url=smtp_url,
            sms_url=sms_url,
            cors=cors,
            former_urls=former_urls.get(service, ()),
            code_systems=reasons.code_systems,
        )
        for service, database in databases.items()
    }


async def make_missing(url: Callable[[str], str]) -> None:
    """Make the databases that are not there yet, the issuer's among them."""
    connection = await asyncpg.connect(url("postgres"))
    try:
        found = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
        for name in DATABASES:
            if name not in found:
                await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
