"""GET /feed: what happens, as it happens, cut to the reader's row scope; resumed by Last-Event-ID."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import StreamingResponse

from services.notifications.api.feed_stream import LiveFeed
from services.notifications.rules.feed import FEED_TYPES, FeedFilter
from shared.audit import record as audit
from shared.errors import Invalid, NotSupported
from shared.fhir.search_values import is_id
from shared.http.authorize import authorize
from shared.http.parameters import UnknownParameter, check_names
from shared.http.request_context import RequestContext, query_of
from shared.http.responses import query, refuses
from shared.http.streams import stream_end

router = APIRouter()

_ROWS = (
    "a referrer its own referrals, an insurer its own claims with the patient's consent, a clinician their"
    " teams, appointments and meetings, a coordinator its site, an operator nothing"
)
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


_FILTERS = {
    "types": "event types, which commas separate",
    "patient": "the id of a patient, or Patient/id",
    "focus": "what the event is about, as Type/id",
    "meeting": "the id of a case meeting, or Appointment/id",
}


class NoSuchFilter(NotSupported):
    """The feed is not filtered by this value."""


class NotAnEntry(Invalid):
    """Last-Event-ID (or `after`) must be the id of an entry of the feed."""

    code = "value"


@router.get(
    "/feed",
    responses=refuses(NotAnEntry, NoSuchFilter, UnknownParameter),
    openapi_extra=query(after="the id of an entry", **_FILTERS),
)
async def feed(
    request: Annotated[RequestContext, authorize("Communication", "r", rows=_ROWS)],
) -> StreamingResponse:
    """Stream the feed from behind the entry that was seen last, or from the newest few hundred on.

    The filters cut what the reader may see, all of them together.
    """
    wanted, seen = _wanted(request), _seen(request)
    ending = stream_end(request.http.app)
    live = LiveFeed(request.runtime, reader=request.principal, ending=ending, wanted=wanted)
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


def _wanted(request: RequestContext) -> FeedFilter:
    """Read the filters; raises UnknownParameter and NoSuchFilter with what is allowed."""
    check_names(request.query, (*_FILTERS, "after"))
    return FeedFilter(
        types=_types(request.query.get("types")),
        patient=_id(request, "patient", kind="Patient"),
        focus=_focus(request.query.get("focus")),
        meeting=_id(request, "meeting", kind="Appointment"),
    )


def _types(text: str | None) -> frozenset[str] | None:
    if text is None:
        return None
    types = frozenset(text.split(","))
    if types - set(FEED_TYPES):
        raise NoSuchFilter(f"some of {', '.join(FEED_TYPES)} are needed", expression="types")
    return types


def _id(request: RequestContext, name: str, *, kind: str) -> str | None:
    text = request.query.get(name)
    if text is None:
        return None
    id = text.removeprefix(f"{kind}/")
    if not is_id(id):
        raise NoSuchFilter(f"an id or {kind}/id is needed", expression=name)
    return id


def _focus(text: str | None) -> str | None:
    if text is None:
        return None
    kind, _, id = text.partition("/")
    if not (kind.isascii() and kind.isalpha() and kind[0].isupper() and is_id(id)):
        raise NoSuchFilter("Type/id is needed", expression="focus")
    return text
