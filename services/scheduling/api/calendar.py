"""`GET /scheduling/calendar`: a few weeks of a site by clinician and by room."""

from datetime import date, timedelta
from typing import Annotated

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from services.scheduling import fhir, use_cases
from services.scheduling.api.searching import UnsupportedSearch, read_day
from shared.clinic import Person, Room, Site
from shared.errors import NotFound
from shared.fhir import references
from shared.http.authorize import authorize, only
from shared.http.parameters import UnknownParameter, check_names
from shared.http.request_context import RequestContext
from shared.http.responses import query, refuses

router = APIRouter()

_ROWS = "the people and rooms of the coordinator's site; a clinician's own calendar"
_Search = Annotated[RequestContext, authorize("Appointment", "s", rows=_ROWS)]
_LONGEST = timedelta(weeks=6)
_USUAL = timedelta(weeks=1)
_DAY = timedelta(days=1)
_PARAMETERS = query(
    **{
        "from": "the first local day of the site, today unless said",
        "to": "the last such day, a week in all unless said; at most 6 weeks",
        "practitioner": "one clinician, `Practitioner/id`",
        "location": "one room, `Location/id`",
    }
)


@router.get("/calendar", responses=refuses(UnsupportedSearch, UnknownParameter), openapi_extra=_PARAMETERS)
async def calendar(request: _Search) -> Response:
    """Show visits with their patients, hours, absences, meeting hours, and what is free from now on.

    A coordinator sees the whole site, a clinician their own days and the rooms in which they have visits.
    """
    only(request, "coordinator", "clinician", what="see the calendar of a site")
    check_names(request.query, ("from", "to", "practitioner", "location"))
    site = request.runtime.clinic.site(str(request.principal.site))
    days = _days(request, site)
    practitioner, room = _practitioner(request), named_in(request, "location", "Location")
    people, rooms = people_of(request, site, practitioner), rooms_of(site, room)
    async with request.transaction() as tx:
        shown = await use_cases.show_calendar.run(
            request.ctx,
            tx,
            days,
            site=site,
            people=people,
            rooms=rooms,
            practitioner=practitioner,
            room=room,
        )
        period = {"from": days[0].isoformat(), "to": days[-1].isoformat(), "zone": site.time_zone}
        body = period | fhir.calendar.render(shown, clinic=request.runtime.clinic)
        content = msgspec.json.encode(body)
        return await request.answer(tx, content, rows=shown.rows, media_type="application/json")


def _days(request: RequestContext, site: Site) -> list[date]:
    today = request.ctx.at.astimezone(site.zone).date()
    first = read_day(request, "from") or today
    last = read_day(request, "to") or first + _USUAL - _DAY
    if first > last:
        raise UnsupportedSearch("the first day is not after the last", expression="from")
    if last - first >= _LONGEST:
        raise UnsupportedSearch("a calendar has at most 6 weeks at once", expression="to")
    return [first + number * _DAY for number in range((last - first).days + 1)]


def _practitioner(request: RequestContext) -> str | None:
    """Name the one clinician that is asked for; a clinician sees their own calendar alone."""
    named = named_in(request, "practitioner", "Practitioner")
    if request.principal.party == "clinician":
        return named or request.principal.practitioner
    return named


def people_of(request: RequestContext, site: Site, practitioner: str | None) -> list[Person]:
    """List the clinicians whose calendar is asked for; raises NotFound where it is not the caller's."""
    found = [
        person
        for person in request.runtime.clinic.people
        if person.site == site.id and practitioner in (None, person.id)
    ]
    own = request.principal.party != "clinician" or practitioner == request.principal.practitioner
    if not found or not own:
        raise NotFound(f"there is no calendar of Practitioner/{str(practitioner)[:64]} that you may see")
    return found


def rooms_of(site: Site, room: str | None) -> list[Room]:
    """List the rooms of a site that are asked for; raises NotFound where there is none."""
    found = [one for one in site.rooms if room in (None, one.id)]
    if not found:
        raise NotFound(f"there is no Location/{str(room)[:64]} at this site")
    return found


def named_in(request: RequestContext, name: str, resource_type: str) -> str | None:
    """Read the id that a parameter names, alone or as a reference; None where it was not given."""
    text = request.query.get(name)
    if not text or "/" not in text:
        return text or None
    parsed = references.parse(text)
    if not references.is_ours(parsed, request.ctx.urls) or parsed.type != resource_type:
        raise UnsupportedSearch(f"{name} names a {resource_type} of this clinic", expression=name)
    return parsed.id or ""
