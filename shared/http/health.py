"""GET /health of a service: what it has to do and what it cannot do, for operators.

Invariants:
- It says counts, ages and names of topics, and nothing about a person.
- A number that cannot be read is null, never 0.
- The lag is what the worker wrote down last (shared/events/topic_progress.py), each with its time.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from shared.db import Transaction
from shared.events import topic_progress, worker_status
from shared.events.topic_progress import TopicLag
from shared.events.worker_status import LoopsStatus, WorkerStatus
from shared.fhir.instants import instant
from shared.http.authorize import authorize, only
from shared.http.request_context import RequestContext
from shared.telemetry.logging import logger

JSON = "application/json"
OPERATORS = "counts, ids, types and times for operators; nobody's rows"
MoreHealth = Callable[[Transaction], Awaitable[Mapping[str, Any]]]
_Reading = Annotated[RequestContext, authorize("Health", "r", rows=OPERATORS)]


async def nothing_more(_: Transaction) -> Mapping[str, Any]:
    """Add nothing to what every service says of itself."""
    return {}


def health_router(more: MoreHealth) -> APIRouter:
    """Give the route; `more` is what a service adds to its health, by name."""
    router = APIRouter()

    @router.get("/health")
    async def health(request: _Reading) -> Response:
        """Tell what waits to be published and read, what is held, and which timers are due."""
        only(request, "operator", what="see how a service is")
        runtime = request.runtime
        base: dict[str, Any] = {"service": runtime.service, "as_of": instant(request.ctx.at)}
        if not await runtime.database.ping():
            logger().error("audit.missing", request_id=request.request_id, error="DatabaseUnreachable")
            return Response(msgspec.json.encode({**base, **_UNKNOWN}), media_type=JSON)
        status = await worker_status.read_status(
            runtime.database, None, group=runtime.service, now=request.ctx.at, loops=LoopsStatus()
        )
        lags = await topic_progress.read(runtime.database, group=runtime.service)
        async with request.transaction() as tx:
            body = {**base, **_describe(status, lags), **await more(tx)}
            return await request.answer(tx, body, media_type=JSON)

    return router


_UNKNOWN: Mapping[str, Any] = {
    "database": "down",
    "relay": {"waiting": None, "oldest_seconds": None},
    "lag": [],
    "held": {"retrying": None, "dead": None},
    "timers": {"due": None, "next": None},
}


def _describe(status: WorkerStatus, lags: Sequence[TopicLag]) -> dict[str, Any]:
    return {
        "database": "up",
        "relay": {
            "waiting": status.outbox,
            "oldest_seconds": round(status.outbox_age, 1) if status.outbox else None,
        },
        "lag": [{"topic": one.topic, "events": one.lag, "as_of": instant(one.at)} for one in lags],
        "held": {"retrying": status.held_retrying, "dead": status.held_dead},
        "timers": {
            "due": status.timers_due,
            "next": None if status.next_timer is None else instant(status.next_timer),
        },
    }
