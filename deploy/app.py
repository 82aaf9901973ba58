"""The parent app of the embedded shape: every service under its name, the issuer, health and figures.

Invariants:
- The parent's lifespan starts and stops all workers: lifespans of mounted apps do not run.
- `/healthz` says that the process answers, `/readyz` that every database answers and every worker runs; both
  say nothing else to anybody who asks.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from deploy.services import room
from shared.events.worker import Worker
from shared.fhir import check
from shared.http.streams import end_streams
from shared.runtime import Runtime
from shared.telemetry import metrics

_ANSWERS_WITHIN = 2.0


def make_workers(runtimes: Mapping[str, Runtime]) -> dict[str, Worker]:
    """Make the worker of every service."""
    return {service: room(service, "worker").create_worker(runtime) for service, runtime in runtimes.items()}


def make_app(
    runtimes: Mapping[str, Runtime],
    workers: Mapping[str, Worker],
    *,
    issuer_routes: Sequence[BaseRoute],
) -> Starlette:
    """Make the app that answers on the clinic's one port."""

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
    health = [
        Route("/healthz", _alive),
        Route("/readyz", _readiness(runtimes, workers)),
        Route("/metrics", _figures(workers)),
    ]
    parent = Starlette(routes=[*health, *issuer_routes, *mounts], lifespan=lifespan)
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


async def _alive(_: Request) -> Response:
    return PlainTextResponse("alive\n")


def _readiness(
    runtimes: Mapping[str, Runtime], workers: Mapping[str, Worker]
) -> Callable[[Request], Awaitable[Response]]:
    async def readyz(_: Request) -> Response:
        databases = await asyncio.gather(*(_answers(runtime) for runtime in runtimes.values()))
        states = dict(zip(runtimes, databases, strict=True))
        missing = [f"{service}: its database does not answer" for service, well in states.items() if not well]
        missing += [
            f"{service}: its worker does not run"
            for service, worker in workers.items()
            if not worker.healthy()
        ]
        return PlainTextResponse("\n".join(missing or ["ready"]) + "\n", status_code=503 if missing else 200)

    return readyz


def _figures(workers: Mapping[str, Worker]) -> Callable[[Request], Awaitable[Response]]:
    async def figures(_: Request) -> Response:
        return Response(await metrics.exposition(workers), media_type="text/plain; version=0.0.4")

    return figures


async def _answers(runtime: Runtime) -> bool:
    try:
        async with asyncio.timeout(_ANSWERS_WITHIN), runtime.database.transaction():
            return True
    except (TimeoutError, OSError, SQLAlchemyError):
        return False
