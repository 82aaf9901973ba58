"""The embedded clinic put together: databases, identity, services, workers and the app on its one port.

`lumbar up` serves it over HTTP with the system's clock, the demo drives it with a simulated one.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from deploy.app import make_app, make_workers
from deploy.embedded import EmbeddedPostgres
from deploy.folders import keys_folder
from deploy.identity import open_identity
from deploy.pages import load_or_make_secret, open_pages
from deploy.receivers import way_to_receivers, way_to_registered_keys
from deploy.runtime import make_runtimes, open_databases, remember_addresses
from deploy.services import IDENTITY, PORTAL, package
from shared.auth.keys import load_or_make_keys
from shared.clinic import Clinic
from shared.clock import Clock
from shared.db import Database, migrate
from shared.events.worker import Worker

if TYPE_CHECKING:  # it brings an HTTP client, which a clinic without receivers does not need
    from shared.outbound import Outbound


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedClinic:
    """A clinic that is ready to run; the app's lifespan (or deploy.app.running) starts its workers."""

    app: Starlette
    workers: Mapping[str, Worker]
    databases: Mapping[str, Database]


@asynccontextmanager
async def embedded_clinic(
    server: EmbeddedPostgres,
    clinic: Clinic,
    *,
    clock: Clock,
    base_url: str,
    smtp_url: str | None = None,
    sms_url: str | None = None,
    outbound: "Outbound | None" = None,
    origins: Sequence[str] = (),
    demo_people: bool = False,
    sign_in_secret: str | None = None,
    calls_at: str | None = None,
) -> AsyncIterator[EmbeddedClinic]:
    """Put a clinic together on a running server; its connections are closed at the end of the block.

    `outbound` is the way to its webhook receivers and its clients' keys, where it is not the system's own;
    pages of `origins` may call, and with `demo_people` those of clinic.yaml may sign in. `calls_at` is where
    its own port is reached, for the portal's calls; without it there is no portal.
    `sign_in_secret` proves to the clinic's own issuer who we are.
    """
    async with AsyncExitStack() as ends:
        databases = await open_databases(server.url)
        of_identity = Database.connect(server.url(IDENTITY), name=IDENTITY, pool_size=2)
        for database in (*databases.values(), of_identity):
            ends.push_async_callback(database.close)
        await migrate.upgrade(of_identity, package=package(IDENTITY))
        keys = load_or_make_keys(keys_folder(server.data), clients=clinic.clients_without_keys)
        identity = await open_identity(
            clinic,
            keys=keys,
            database=of_identity,
            base_url=base_url,
            demo_people=demo_people,
            sign_in_secret=sign_in_secret,
            outbound=outbound or way_to_registered_keys(clinic, data=server.data),
        )
        runtimes = make_runtimes(
            databases,
            clock=clock,
            clinic=clinic,
            verifier=identity.verifier,
            base_url=base_url,
            smtp_url=smtp_url,
            sms_url=sms_url,
            cors=bool(origins),
            former_urls=await remember_addresses(databases, base_url),
        )
        outbound = outbound or way_to_receivers(clinic, data=server.data, make_secrets=True)
        runtimes["notifications"] = replace(runtimes["notifications"], outbound=outbound)
        workers = make_workers(runtimes)
        of_portal, pages = await ends.enter_async_context(
            _pages(server, clinic, clock=clock, base_url=base_url, calls_at=calls_at)
        )
        app = make_app(
            runtimes,
            workers,
            issuer_routes=identity.routes,
            identity=of_identity,
            origins=origins,
            pages=pages,
            portal=of_portal,
        )
        yield EmbeddedClinic(app=app, workers=workers, databases=databases)


@asynccontextmanager
async def _pages(
    server: EmbeddedPostgres, clinic: Clinic, *, clock: Clock, base_url: str, calls_at: str | None
) -> AsyncIterator[tuple[Database | None, Sequence[BaseRoute]]]:
    """Give the portal's database and routes for the duration of the block; there are none without an address
    to call.
    """
    if calls_at is None:
        yield None, ()
        return
    database = Database.connect(server.url(PORTAL), name=PORTAL, pool_size=4)
    try:
        await migrate.upgrade(database, package=package(PORTAL))
        opened = open_pages(
            database,
            clinic,
            clock=clock,
            base_url=base_url,
            calls_at=calls_at,
            secret=load_or_make_secret(keys_folder(server.data)),
        )
        async with opened as pages:
            yield database, pages
    finally:
        await database.close()
