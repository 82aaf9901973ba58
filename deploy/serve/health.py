"""Health and figures of one process: `/healthz`, `/readyz`, `/metrics`.

Invariant: they say nothing about a person or an address to anybody who asks.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from deploy.serve.readiness import Kind, Look, Need, readiness
from shared.db import Database
from shared.events.worker import Worker
from shared.telemetry import metrics


def health_routes(databases: Mapping[str, Database], *, workers: Mapping[str, Worker]) -> list[Route]:
    """Give the three routes of a process with these databases and workers."""
    return [
        Route("/healthz", _alive),
        Route("/readyz", readiness(_needs(databases, workers))),
        Route("/metrics", _figures(databases, workers)),
    ]


def _needs(databases: Mapping[str, Database], workers: Mapping[str, Worker]) -> dict[tuple[Kind, str], Look]:
    needs: dict[tuple[Kind, str], Look] = {
        ("database", service): partial(_database, service, database)
        for service, database in databases.items()
    }
    for service, worker in workers.items():
        needs["broker", service] = partial(_broker, service, worker)
        needs["leader", service] = partial(_leader, service, worker)
        needs["worker", service] = partial(_tasks, service, worker)
    return needs


async def _database(service: str, database: Database) -> Need:
    answers = await database.ping()
    return Need(kind="database", service=service, state="up" if answers else "away", ok=answers)


async def _broker(service: str, worker: Worker) -> Need:
    answers = await worker.broker_answers()
    return Need(kind="broker", service=service, state="up" if answers else "away", ok=answers)


async def _leader(service: str, worker: Worker) -> Need:
    known = worker.leader_known()
    state = ("here" if worker.leads() else "elsewhere") if known else "unknown"
    return Need(kind="leader", service=service, state=state, ok=known)


async def _tasks(service: str, worker: Worker) -> Need:
    runs = worker.runs()
    return Need(kind="worker", service=service, state="running" if runs else "failing", ok=runs)


async def _alive(_: Request) -> Response:
    return PlainTextResponse("alive\n")


def _figures(
    databases: Mapping[str, Database], workers: Mapping[str, Worker]
) -> Callable[[Request], Awaitable[Response]]:
    async def figures(_: Request) -> Response:
        told = await metrics.exposition(workers, databases.values())
        return Response(told, media_type="text/plain; version=0.0.4")

    return figures
