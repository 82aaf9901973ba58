"""Databases for tests: one set per worker, copied from templates, emptied before each test."""

import fcntl
import os
from functools import cache

import asyncpg
from sqlalchemy import MetaData

from deploy import services
from deploy.embedded import server_url
from shared.db import Database
from shared.db.tables import add_shared_tables
from tests.support.server import run, socket_of_run

_made: set[str] = set()
_logs: dict[str, MetaData] = {}
_toys: dict[int, tuple[MetaData, str]] = {}


@cache
def worker_name() -> str:
    """Name this xdist worker, `main` without xdist."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def database_url(database: str) -> str:
    """Give the address of a database on the run's server."""
    return server_url(socket_of_run(), database)


async def service_database(service: str) -> Database:
    """Give this worker's database of a service, empty."""
    metadata = services.metadata(service)
    name = f"{service}_{worker_name()}"
    if name not in _made:
        await _make_template(f"template_{service}", metadata)
        await _run(f'CREATE DATABASE "{name}" TEMPLATE "template_{service}"')
        _made.add(name)
    return await _emptied(Database.connect(database_url(name), name=service), metadata)


async def log_database(service: str) -> Database:
    """Give this worker's database with the shared tables only, for a service that does not run; empty."""
    if service not in _logs:
        _logs[service] = MetaData()
        add_shared_tables(_logs[service])
    return await toy_database(_logs[service], name=service)


async def toy_database(metadata: MetaData, *, name: str) -> Database:
    """Give this worker's database for a metadata that is no service's, empty."""
    known = _toys.get(id(metadata))
    if known is None:
        known = (metadata, f"toy_{worker_name()}_{len(_toys)}")
        await _run(f'CREATE DATABASE "{known[1]}"')
        await _create_all(known[1], metadata)
        _toys[id(metadata)] = known
    return await _emptied(Database.connect(database_url(known[1]), name=name), metadata)


async def _make_template(template: str, metadata: MetaData) -> None:
    with (run()[1] / template).open("w") as making:
        fcntl.flock(making, fcntl.LOCK_EX)
        if not await _exists(template):
            await _run(f'DROP DATABASE IF EXISTS "{template}.new"')
            await _run(f'CREATE DATABASE "{template}.new"')
            await _create_all(f"{template}.new", metadata)
            await _run(f'ALTER DATABASE "{template}.new" RENAME TO "{template}"')


async def _create_all(name: str, metadata: MetaData) -> None:
    database = Database.connect(database_url(name), name=name)
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await database.close()


async def _emptied(database: Database, metadata: MetaData) -> Database:
    deletes = "; ".join(f'DELETE FROM "{table.name}"' for table in reversed(metadata.sorted_tables))
    async with database.transaction() as tx:
        await tx.run(f"SET LOCAL session_replication_role = replica; {deletes}")
    return database


async def _exists(name: str) -> bool:
    connection = await _connect("postgres")
    try:
        return bool(await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name))
    finally:
        await connection.close()


async def _run(statement: str) -> None:
    connection = await _connect("postgres")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _connect(database: str) -> asyncpg.Connection:
    return await asyncpg.connect(database_url(database))
