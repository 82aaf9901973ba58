"""Held events for operators: what waits behind each key and why, and trying it again.

Invariants:
- It says ids, types, places and the classes of errors, and nothing of what an event holds.
- Replay is the one of `lumbar dead-letters replay`: it makes the key due, and the worker goes on in order.
"""

from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from shared.errors import NotFound
from shared.events.inbox import dead_letters
from shared.events.inbox.dead_letters import HeldKeyEvents
from shared.fhir.instants import instant
from shared.http import parameters
from shared.http.authorize import authorize, only
from shared.http.health import JSON, OPERATORS
from shared.http.request_context import RequestContext
from shared.http.responses import query, refuses
from shared.operations import Parameter

_MOST_KEYS = 200
_MOST_EVENTS = 50
_GROUP = Parameter(name="group", text="The group that holds the key; the service's own where it is not said.")
_Reading = Annotated[RequestContext, authorize("Health", "r", rows=OPERATORS)]
_Replaying = Annotated[RequestContext, authorize("Health", "u", rows=OPERATORS, names_no_resource=True)]


class NothingHeld(NotFound):
    """The group holds no event of this key."""


def dead_letters_router() -> APIRouter:
    """Give the routes, which are the same in every service."""
    router = APIRouter()
    # A malformed event without a key is held under its place, which has slashes in it.
    router.add_api_route("/dead-letters", list_held, methods=["GET"])
    router.add_api_route(
        "/dead-letters/{key:path}/$replay",
        replay,
        methods=["POST"],
        responses=refuses(NothingHeld),
        openapi_extra=query(group=_GROUP.text),
    )
    return router


async def list_held(request: _Reading) -> Response:
    """List the held keys, dead ones first: 200 at most, each with its first 50 events."""
    only(request, "operator", what="see what is held")
    parameters.of_query(request.query, ())
    total, keys = await dead_letters.list_with_events(
        request.runtime.database, keys=_MOST_KEYS, events=_MOST_EVENTS
    )
    async with request.transaction() as tx:
        body = {"total": total, "rows": [_row(key) for key in keys]}
        return await request.answer(tx, body, media_type=JSON)


async def replay(key: str, request: _Replaying) -> Response:
    """Try the events of a held key again, in their order, within seconds where the worker runs."""
    only(request, "operator", what="try held events again")
    given = parameters.of_query(request.query, (_GROUP,))
    group = given.get("group", request.runtime.service)
    async with request.transaction() as tx:
        replayed = await dead_letters.replay(tx, group=group, key=key)
        if not replayed:
            raise NothingHeld("nothing is held under this key")
        return await request.answer(tx, {"replayed": replayed}, asked=[("key", key)], media_type=JSON)


def _row(held: HeldKeyEvents) -> dict[str, Any]:
    return {
        "key": held.key,
        "group": held.group,
        "state": held.state,
        "attempts": held.attempts,
        "since": instant(held.since),
        "next_at": None if held.next_at is None else instant(held.next_at),
        "error": held.error,
        "waiting": held.waiting,
        "events": held.events,
    }
