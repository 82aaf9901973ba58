"""GET /feed: what happens, as it happens, cut to the reader's row scope; resumed by Last-Event-ID."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import StreamingResponse

from services.notifications.api.feed_stream import LiveFeed
from shared.audit import record as audit
from shared.errors import Invalid
from shared.http.authorize import authorize
from shared.http.request_context import RequestContext, query_of
from shared.http.responses import query, refuses
from shared.http.streams import stream_end

router = APIRouter()

_ROWS = (
    "a referrer its own referrals, an insurer its own claims with the patient's consent, a clinician their"
    " teams, appointments and meetings, a coordinator its site, an operator nothing"
)
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class NotAnEntry(Invalid):
    """Last-Event-ID (or `after`) must be the id of an entry of the feed."""

    code = "value"


@router.get("/feed", responses=refuses(NotAnEntry), openapi_extra=query(after="the id of an entry"))
async def feed(
    request: Annotated[RequestContext, authorize("Communication", "r", rows=_ROWS)],
) -> StreamingResponse:
    """Stream the feed from behind the entry that was seen last, or from the newest few hundred on."""
    live = LiveFeed(request.runtime, reader=request.principal, ending=stream_end(request.http.app))
    seen = _seen(request)
    async with request.transaction() as tx:
        opened = audit.Access(
            service=request.runtime.service,
            how="search-type",
            site=request.principal.site,
            query=query_of(request.http, b""),
        )
        await audit.record(request.ctx, tx, opened)
    return StreamingResponse(live.frames(seen), media_type="text/event-stream", headers=_HEADERS)


def _seen(request: RequestContext) -> int | None:
    given = request.http.headers.get("last-event-id") or request.query.get("after")
    if given is None:
        return None
    try:
        return int(given)
    except ValueError:
        raise NotAnEntry("Last-Event-ID is the number of the entry that was seen last") from None
