"""GET /trace of a service: which events it has published about a referral, for operators.

Invariant: types, ids, places and times only, from the attributes of the events; no resource is read.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from shared.errors import Invalid
from shared.events.topics import FEED, topics_of
from shared.events.transport import event_log
from shared.fhir.instants import instant
from shared.fhir.search_values import is_id
from shared.http import parameters
from shared.http.authorize import authorize, only
from shared.http.health import JSON, OPERATORS
from shared.http.request_context import RequestContext
from shared.http.responses import query, refuses
from shared.operations import Parameter

_MOST = 1000
_REFERRAL = Parameter(name="referral", type="id", min=1, text="The id of the ServiceRequest.")
_Reading = Annotated[RequestContext, authorize("Health", "r", rows=OPERATORS)]


class NotAReferralId(Invalid):
    """`referral` is the id of a ServiceRequest."""

    code = "value"


def trace_router() -> APIRouter:
    """Give the route, which is the same in every service."""
    router = APIRouter()
    router.add_api_route(
        "/trace",
        trace,
        methods=["GET"],
        responses=refuses(NotAReferralId),
        openapi_extra=query(referral=_REFERRAL.text),
    )
    return router


async def trace(request: _Reading) -> Response:
    """List what this service has published about a referral, the oldest 1,000 events, as far as it is kept.

    `kept` is false where this service's log is not kept here, as on Kafka: then nothing is known of it.
    """
    only(request, "operator", what="see the way of a referral")
    referral = parameters.of_query(request.query, (_REFERRAL,)).get("referral", "")
    if not is_id(referral):
        raise NotAReferralId("the id of a ServiceRequest is needed", expression="referral")
    database, topics = request.runtime.database, topics_of(request.runtime.service) - {FEED}
    ends = [(await event_log.extent(database, topic)).end for topic in sorted(topics)]
    found = await event_log.about_referral(database, topics, referral, limit=_MOST)
    events = [_event(topic, offset, headers) for topic, offset, headers in found]
    async with request.transaction() as tx:
        body = {"kept": any(ends), "events": events}
        return await request.answer(tx, body, asked=[("referral", referral)], media_type=JSON)


def _event(topic: str, offset: int, headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": headers["ce_id"],
        "type": headers["ce_type"],
        "time": instant(datetime.fromisoformat(headers["ce_time"])),
        "version": int(headers["ce_version"]),
        "causation": headers.get("ce_causationid"),
        "topic": topic,
        "offset": offset,
    }
