"""Links by which a calendar program reads the days of a clinician or a room, and the calendar behind one."""

from hashlib import sha256
from secrets import token_urlsafe
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from services.scheduling import fhir, use_cases
from services.scheduling.api.calendar import named_in, people_of, rooms_of
from services.scheduling.api.searching import UnsupportedSearch
from services.scheduling.models.calendar_links import CalendarLink
from services.scheduling.use_cases.share_calendar import NoSuchLink
from shared.errors import NotFound
from shared.fhir.instants import instant
from shared.fhir.search_values import as_uuid
from shared.http.authorize import authorize, only
from shared.http.guard import open_to_all
from shared.http.parameters import UnknownParameter, check_names
from shared.http.request_context import RequestContext
from shared.http.responses import query, refuses
from shared.runtime import Runtime

router = APIRouter()

_ROWS = "the people and rooms of the coordinator's site; a clinician's own calendar"
_HOLDER = "whoever has the secret of a link that stands: a calendar without any patient"
_List = Annotated[RequestContext, authorize("Appointment", "s", rows=_ROWS)]
_Make = Annotated[RequestContext, authorize("Appointment", "c", rows=_ROWS, names_no_resource=True)]
_Revoke = Annotated[RequestContext, authorize("Appointment", "u", rows=_ROWS, names_no_resource=True)]
_NAMES = {
    "practitioner": "one clinician, `Practitioner/id`; a clinician's own unless said",
    "location": "one room, `Location/id`",
}
_LANGUAGE = f"the language of its words: {' or '.join(fhir.calendar_feed.LANGUAGES)}; en unless said"
_JSON, _CALENDAR = "application/json", "text/calendar; charset=utf-8"
_SECRET_BYTES = 32
_WHAT = "share a calendar"


@router.post(
    "/calendar-links",
    status_code=201,
    responses=refuses(NotFound, UnsupportedSearch, UnknownParameter),
    openapi_extra=query(**_NAMES, language=_LANGUAGE),
)
async def make(request: _Make) -> Response:
    """Make a link to the calendar of a clinician or of a room; its address is told this once.

    A repeat with the same Idempotency-Key is told the same address.
    """
    only(request, "coordinator", "clinician", what=_WHAT)
    check_names(request.query, (*_NAMES, "language"))
    secret = token_urlsafe(_SECRET_BYTES)
    async with request.transaction() as tx:
        link = await use_cases.share_calendar.run(request.ctx, tx, _wanted(request, mark=_mark(secret)))
        address = f"{request.runtime.base_url}/scheduling/calendars/{secret}"
        body = msgspec.json.encode(_shown(link, request) | {"address": address})
        return await request.answer(tx, body, status=201, media_type=_JSON)


@router.get("/calendar-links", responses=refuses(UnknownParameter))
async def list_links(request: _List) -> Response:
    """List the links that stand, without their addresses."""
    only(request, "coordinator", "clinician", what=_WHAT)
    check_names(request.query, ())
    async with request.transaction() as tx:
        links = await use_cases.share_calendar.list_links(request.ctx, tx)
        body = msgspec.json.encode({"rows": [_shown(link, request) for link in links]})
        return await request.answer(tx, body, media_type=_JSON)


@router.post("/calendar-links/{id}/$revoke", responses=refuses(NoSuchLink))
async def revoke(id: str, request: _Revoke) -> Response:
    """End a link: from now on there is nothing behind its address."""
    only(request, "coordinator", "clinician", what=_WHAT)
    async with request.transaction() as tx:
        wanted = as_uuid(id)
        if wanted is None:
            raise NoSuchLink(f"there is no link {id[:64]}")
        await use_cases.share_calendar.revoke(request.ctx, tx, wanted)
        return await request.answer(tx, {"revoked": str(wanted)}, media_type=_JSON)


@router.get(
    "/calendars/{secret}", responses=refuses(NoSuchLink), dependencies=[Depends(open_to_all(_HOLDER))]
)
async def read(secret: str, request: Request) -> Response:
    """Give the calendar behind a link (iCalendar): visits by kind and room, and no name of a patient."""
    runtime: Runtime = request.app.state.runtime
    ctx = runtime.context(cause=request.state.request_id)
    async with runtime.database.transaction() as tx:
        content = await use_cases.share_calendar.read(ctx, tx, _mark(secret))
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=_CALENDAR)


def _mark(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _wanted(request: RequestContext, *, mark: bytes) -> CalendarLink:
    """Say what a link is to show; raises UnsupportedSearch and NotFound for what is not to be shared."""
    site = request.ctx.clinic.site(str(request.principal.site))
    practitioner = named_in(request, "practitioner", "Practitioner")
    room = named_in(request, "location", "Location")
    if practitioner is None and room is None:
        practitioner = request.principal.practitioner
    if (practitioner is None) == (room is None):
        raise UnsupportedSearch("name one clinician or one room", expression="practitioner")
    if practitioner is not None:
        people_of(request, site, practitioner)
    else:
        only(request, "coordinator", what="share the calendar of a room")
        rooms_of(site, room)
    language = request.query.get("language", "en")
    if language not in fhir.calendar_feed.LANGUAGES:
        raise UnsupportedSearch(_LANGUAGE, expression="language")
    return CalendarLink(
        mark=mark,
        site=site.id,
        practitioner=practitioner,
        room=room,
        language=language,
        made_by=request.principal.client,
        made_at=request.ctx.at,
    )


def _shown(link: CalendarLink, request: RequestContext) -> dict[str, Any]:
    """Write a link without its secret."""
    return {
        "id": str(link.id),
        "practitioner": link.practitioner,
        "room": link.room,
        "name": request.ctx.clinic.name_of(*link.shows) or link.shows[1],
        "language": link.language,
        "made_by": link.made_by,
        "made_at": instant(link.made_at),
    }
