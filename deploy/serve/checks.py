"""What a process of the distributed shape looks at before it starts; raises SettingsError with one line.

Invariant: no line holds a password, whatever the server or the driver said.
"""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

from deploy.services import package
from deploy.settings import Settings, SettingsError, variable
from deploy.shape import database_url
from shared.db import migrate

_ANSWERS_WITHIN = 5.0
_REFUSED = (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError)
_NO_ANSWER = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


async def check_database(settings: Settings, service: str) -> None:
    """Look whether a service's own database is there, lets this role in, and is migrated."""
    head = migrate.head(package(service))
    connection = await open_checked(settings, service)
    try:
        await _refuse_superuser(connection, service)
        version = await _version(connection, service)
    finally:
        await connection.close()
    if version is None or (head is not None and version < head):
        raise _wrong(
            service, f"the database is at version {version or 'none'}, {head} is needed: run `lumbar migrate`"
        )


async def check_log(settings: Settings, publisher: str) -> None:
    """Look whether the event log of another service can be read."""
    connection = await open_checked(settings, publisher)
    try:
        there = await connection.fetchval("SELECT to_regclass('event_log') IS NOT NULL")
        readable = there and await connection.fetchval("SELECT has_table_privilege('event_log', 'SELECT')")
    finally:
        await connection.close()
    if not readable:
        missing = "may not be read by this role" if there else "is not there"
        raise _wrong(publisher, f"its event log {missing}: run `lumbar migrate`")


async def open_checked(settings: Settings, service: str) -> "asyncpg.Connection[Any]":
    """Open a connection, or say in one line why there is none."""
    url = database_url(settings, service)
    place = place_of(url)
    try:
        return await asyncpg.connect(url, timeout=_ANSWERS_WITHIN)
    except _REFUSED:
        raise _wrong(service, f"the server at {place} refuses this role or its password") from None
    except asyncpg.InvalidCatalogNameError:
        raise _wrong(service, f"the server at {place} has no such database; make it first") from None
    except asyncpg.InsufficientPrivilegeError:
        raise _wrong(service, f"this role may not connect to that database at {place}") from None
    except _NO_ANSWER as error:
        raise _wrong(service, f"no database answers at {place} ({_said(error)})") from None
    except ValueError:
        raise _wrong(service, "cannot be read as an address") from None


async def _refuse_superuser(connection: "asyncpg.Connection[Any]", service: str) -> None:
    if await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        raise _wrong(service, "names a superuser; a process gets a role with rights on its own database only")


async def _version(connection: "asyncpg.Connection[Any]", service: str) -> str | None:
    if not await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL"):
        return None
    try:
        found: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.InsufficientPrivilegeError:
        raise _wrong(service, "this role may not read its tables: run `lumbar migrate`") from None
    return found


def place_of(url: str) -> str:
    """Name the server of an address and nothing else of it."""
    parts = urlsplit(url)
    host = parts.hostname or parse_qs(parts.query).get("host", ["localhost"])[0]
    return host if host.startswith("/") else f"{host}:{parts.port or 5432}"


def _wrong(service: str, text: str) -> SettingsError:
    return SettingsError(f"{variable(f'{service}_database_url')}: {text}")


def _said(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return text.splitlines()[0]
