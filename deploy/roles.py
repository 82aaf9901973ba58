"""One PostgreSQL role per service, with the rights that its processes need and no others.

Invariants:
- A process changes rows of its own database only; it makes, alters and drops nothing. Migrations run as the
  database's owner, whom no process is.
- What was recorded in `audit_event` and `audit_patient` can be added to, never changed or removed, by the
  service itself.
- On the PostgreSQL log a service reads the event logs of the others, and nothing else there.
"""

from typing import Any

import asyncpg

from deploy.services import DATABASES, SERVICES

OWNER = "lumbar_owner"


def role_of(service: str) -> str:
    """Name the role of a service's processes, which its database grants rights to where it exists."""
    return f"lumbar_{service}"


async def grant(connection: "asyncpg.Connection[Any]", service: str, *, logs_are_read: bool) -> None:
    """Give the roles that exist their rights in this database; run by its owner after every migration."""
    found = {
        row[0] for row in await connection.fetch("SELECT rolname FROM pg_roles WHERE rolname LIKE 'lumbar_%'")
    }
    database = await connection.fetchval("SELECT quote_ident(current_database())")
    await connection.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
    if (role := role_of(service)) in found:
        await connection.execute(_OWN.format(database=database, role=role))
        await connection.execute(_VERSION_IS_READ.format(role=role))
        if service in SERVICES:
            await connection.execute(_APPEND_ONLY.format(role=role))
    for other in SERVICES:
        reader = role_of(other)
        if service in SERVICES and other != service and reader in found:
            rights = _READS_LOG if logs_are_read else _READS_NOTHING
            await connection.execute(rights.format(database=database, role=reader))


_OWN = """
    GRANT CONNECT ON DATABASE {database} TO {role};
    GRANT USAGE ON SCHEMA public TO {role};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role};
"""
_APPEND_ONLY = """
    REVOKE UPDATE, DELETE ON audit_event, audit_patient FROM {role};
"""
_VERSION_IS_READ = "REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {role}"
_READS_LOG = """
    GRANT CONNECT ON DATABASE {database} TO {role};
    GRANT USAGE ON SCHEMA public TO {role};
    GRANT SELECT ON event_log, event_log_end TO {role};
"""
_READS_NOTHING = """
    REVOKE CONNECT ON DATABASE {database} FROM {role};
    REVOKE SELECT ON event_log, event_log_end FROM {role};
"""


async def make_roles(connection: "asyncpg.Connection[Any]", passwords: dict[str, str]) -> None:
    """Make the owner's and every service's role, or give those that are there these passwords."""
    for role, password in passwords.items():
        known = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
        quoted = await connection.fetchval("SELECT quote_literal($1::text)", password)
        await connection.execute(f"{'ALTER' if known else 'CREATE'} ROLE {role} LOGIN PASSWORD {quoted}")


async def make_databases(connection: "asyncpg.Connection[Any]") -> None:
    """Make the databases that are missing, all of the owner's."""
    found = {row[0] for row in await connection.fetch("SELECT datname FROM pg_database")}
    for name in DATABASES:
        if name not in found:
            await connection.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
