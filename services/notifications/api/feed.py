"""GET /feed: what happens, as it happens, cut to the reader's row scope; resumed by Last-Event-ID."""

from fastapi import APIRouter, Depends
from starlette.responses import StreamingResponse

from services.notifications.api.live import LiveFeed
from shared.audit import record as audit
from shared.errors import Invalid
from shared.http.call import Call, requires
from shared.http.route import CallRoute
from shared.http.streams import stream_end

router = APIRouter(route_class=CallRoute)

_ROWS = (
    "a referrer its own referrals, an insurer its own claims with the patient's consent, a clinician their"
    " teams, appointments and meetings, a coordinator its site, an operator nothing"
)
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class NotAnEntry(Invalid):
    """Last-Event-ID (or `after`) must be the id of an entry of the feed."""

    code = "value"


@router.get("/feed")
async def feed(
    call: Call = Depends(requires("Communication", "r", rows=_ROWS)),
) -> StreamingResponse:
    """Stream the feed from behind the entry that was seen last, or from the newest few hundred on."""
    live = LiveFeed(call.runtime, reader=call.principal, ending=stream_end(call.request.app))
    seen = _seen(call)
    async with call.transaction() as tx:
        opened = audit.Access(service=call.runtime.service, how="search-type", query=str(call.request.url))
        audit.record(tx, opened, ctx=call.ctx)
    return StreamingResponse(live.frames(seen), media_type="text/event-stream", headers=_HEADERS)


def _seen(call: Call) -> int | None:
    given = call.request.headers.get("last-event-id") or call.query.get("after")
    if given is None:
        return None
    try:
        return int(given)
    except ValueError:
        raise NotAnEntry("Last-Event-ID is the number of the entry that was seen last") from None
