"""How a command gets at the databases of a clinic, whether it is up or not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.embedded import EmbeddedError, EmbeddedPostgres, running_server, server_url
from deploy.runtime import close_databases, make_missing, open_databases
from deploy.services import IDENTITY, SERVICES, package
from deploy.settings import Settings, load_settings
from deploy.shape import database_url, is_distributed
from shared.db import Database, migrate


@asynccontextmanager
async def attached(data: Path | None = None) -> AsyncIterator[dict[str, Database]]:
    """Give every service's Database: of the running clinic, or of a server started for the duration.

    The data folder is LUMBAR_DATA's unless it is given. Raises EmbeddedError where there is no clinic in it.
    Must be entered in the main thread, because the server is tied to the thread that starts it.
    Where the settings name databases, these are given and no others.
    """
    settings = load_settings()
    if data is None and is_distributed(settings):
        async with _named(settings) as databases:
            yield databases
        return
    data = data or settings.data
    socket = running_server(data)
    if socket is not None:
        databases = {name: Database.connect(server_url(socket, name), name=name) for name in SERVICES}
        try:
            yield databases
        finally:
            await close_databases(databases)
        return
    if not data.exists():
        raise _no_clinic(data)
    async with started(data) as databases:
        yield databases


@asynccontextmanager
async def attached_identity() -> AsyncIterator[Database]:
    """Give the issuer's Database: the one that the settings name, else of the clinic in the data folder.

    Raises EmbeddedError where there is no clinic in it. Must be entered in the main thread, like `attached`.
    """
    settings = load_settings()
    socket = running_server(settings.data)
    if settings.identity_database_url is not None:
        database = Database.connect(settings.identity_database_url, name=IDENTITY, pool_size=1)
    elif socket is not None:
        database = Database.connect(server_url(socket, IDENTITY), name=IDENTITY, pool_size=1)
    elif settings.data.exists():
        async with _started_identity(settings.data) as database:
            yield database
        return
    else:
        raise _no_clinic(settings.data)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def _started_identity(data: Path) -> AsyncIterator[Database]:
    server = EmbeddedPostgres.start(data)
    try:
        await make_missing(server.url)
        database = Database.connect(server.url(IDENTITY), name=IDENTITY, pool_size=1)
        try:
            await migrate.upgrade(database, package=package(IDENTITY))
            yield database
        finally:
            await database.close()
    finally:
        server.stop()


def _no_clinic(data: Path) -> EmbeddedError:
    return EmbeddedError(f"there is no clinic in {data}: start one with `lumbar up`, or set LUMBAR_DATA")


@asynccontextmanager
async def _named(settings: Settings) -> AsyncIterator[dict[str, Database]]:
    names = [name for name in SERVICES if getattr(settings, f"{name}_database_url") is not None]
    databases = {name: Database.connect(database_url(settings, name), name=name) for name in names}
    try:
        yield databases
    finally:
        await close_databases(databases)


@asynccontextmanager
async def started(data: Path, *, durable: bool = True) -> AsyncIterator[dict[str, Database]]:
    """Run the server of a data folder for the duration of the block, its databases made and migrated."""
    server = EmbeddedPostgres.start(data, durable=durable)
    try:
        databases = await open_databases(server.url)
        try:
            yield databases
        finally:
            await close_databases(databases)
    finally:
        server.stop()
