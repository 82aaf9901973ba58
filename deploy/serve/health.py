"""Health and figures of one process: `/healthz`, `/readyz`, `/metrics`.

Invariant: they say nothing about a person or an address to anybody who asks.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from shared.db import Database
from shared.db.watched import Watched
from shared.events.worker import Worker
from shared.telemetry import metrics


def health_routes(databases: Mapping[str, Database], *, workers: Mapping[str, Worker]) -> list[Route]:
    """Give the three routes of a process with these databases and workers."""
    watched = {service: Watched(database) for service, database in databases.items()}
    return [
        Route("/healthz", _alive),
        Route("/readyz", _readiness(watched, workers)),
        Route("/metrics", _figures(watched, workers)),
    ]


async def _alive(_: Request) -> Response:
    return PlainTextResponse("alive\n")


def _readiness(
    databases: Mapping[str, Watched], workers: Mapping[str, Worker]
) -> Callable[[Request], Awaitable[Response]]:
    async def readyz(_: Request) -> Response:
        answers = await asyncio.gather(*(database.answers() for database in databases.values()))
        states = dict(zip(databases, answers, strict=True))
        missing = [f"{service}: its database does not answer" for service, well in states.items() if not well]
        missing += [
            f"{service}: its worker does not run"
            for service, worker in workers.items()
            if not worker.healthy()
        ]
        return PlainTextResponse("\n".join(missing or ["ready"]) + "\n", status_code=503 if missing else 200)

    return readyz


def _figures(
    databases: Mapping[str, Watched], workers: Mapping[str, Worker]
) -> Callable[[Request], Awaitable[Response]]:
    async def figures(_: Request) -> Response:
        told = await metrics.exposition(workers, databases.values())
        return Response(told, media_type="text/plain; version=0.0.4")

    return figures
