"""The parent app of the embedded shape: every service under its name, the issuer, health and figures.

Invariants:
- The parent's lifespan starts and stops all workers: lifespans of mounted apps do not run.
- `/healthz` says that the process answers, `/readyz` what each service needs and whether it is there; both
  say nothing else to anybody who asks.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

from deploy.serve.documents import document_routes
from deploy.serve.health import health_routes
from deploy.serve.outermost import outermost
from deploy.services import IDENTITY, PORTAL, room
from shared.db import Database
from shared.events.worker import Worker
from shared.fhir import check
from shared.http.streams import end_streams
from shared.runtime import Runtime


def make_workers(runtimes: Mapping[str, Runtime]) -> dict[str, Worker]:
    """Make the worker of every service."""
    return {service: room(service, "worker").create_worker(runtime) for service, runtime in runtimes.items()}


def make_app(
    runtimes: Mapping[str, Runtime],
    workers: Mapping[str, Worker],
    *,
    issuer_routes: Sequence[BaseRoute],
    identity: Database,
    origins: Sequence[str] = (),
    pages: Sequence[BaseRoute] = (),
    portal: Database | None = None,
) -> Starlette:
    """Make the app that answers on the clinic's one port; `identity` is the issuer's database, pages of
    `origins` may call, and `pages` are the portal's, behind everything else; `portal` is their database.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        check.warm()
        try:
            async with running(workers.values()):
                yield
        finally:
            check.close()

    apps = {service: room(service, "main").create_app(runtime) for service, runtime in runtimes.items()}
    mounts = [Mount(f"/{service}", app=app) for service, app in apps.items()]
    databases = {service: runtime.database for service, runtime in runtimes.items()} | {IDENTITY: identity}
    if portal is not None:
        databases[PORTAL] = portal
    health = health_routes(databases, workers=workers)
    routes = [*health, *document_routes(apps), *issuer_routes, *mounts, *pages]
    parent = outermost(routes, lifespan=lifespan, origins=origins)
    parent.state.apps = apps
    return parent


def end_all_streams(parent: Starlette) -> None:
    """Ask every open stream of every service to end."""
    for app in parent.state.apps.values():
        end_streams(app)


@asynccontextmanager
async def running(workers: Collection[Worker]) -> AsyncIterator[None]:
    """Run workers for the duration of the block."""
    begun: list[Worker] = []
    try:
        for worker in workers:
            await worker.start()
            begun.append(worker)
        yield
    finally:
        await asyncio.gather(*(worker.stop() for worker in begun))
