"""Free time as Schedule and Slot: computed when it is asked for, and promised to nobody.

Of a clinician's Schedule coordinators change whether and when new visits are booked into it.

Beside it stand the absences and closed days that were recorded (`api/absences.py`).
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from services.scheduling import fhir, queries, use_cases
from services.scheduling.api import absences
from services.scheduling.api.searching import UnsupportedSearch
from services.scheduling.models.spans import Span
from services.scheduling.queries import scope, unavailable
from services.scheduling.rules.roster import CannotChangeRoster
from shared.clinic import Person
from shared.db import Transaction
from shared.errors import NotFound
from shared.fhir import references
from shared.fhir.instants import is_on_a_calendar
from shared.http import computed
from shared.http.authorize import authorize, only
from shared.http.computed import ComputedParam, ComputedQuery
from shared.http.request_context import RequestContext
from shared.http.responses import refuses

router = APIRouter()

ROWS = "the people of a coordinator's or clinician's site; nobody else any"
_ReadSchedule = Annotated[RequestContext, authorize("Schedule", "r", rows=ROWS)]
_SearchSchedules = Annotated[RequestContext, authorize("Schedule", "s", rows=ROWS)]
_ChangeSchedule = Annotated[RequestContext, authorize("Schedule", "u", rows=scope.ROSTER_ROWS)]
_ReadSlot = Annotated[RequestContext, authorize("Slot", "r", rows=ROWS)]
_SearchSlots = Annotated[RequestContext, authorize("Slot", "s", rows=ROWS)]

_UNAVAILABLE = "busy-unavailable"
_LONGEST_LOOK = timedelta(days=62)
_USUAL_LOOK = timedelta(days=14)
_SCHEDULE_PARAMS = {
    "actor": ComputedParam(kind="reference", text="`Practitioner/id`, or the `Location/id` of the site")
}
_SLOT_PARAMS = {
    "schedule": ComputedParam(kind="reference", text="`Schedule/id`"),
    "start": ComputedParam(kind="date", text="`ge...` and `lt...`, twice; two weeks from now unless said"),
    "status": ComputedParam(kind="token", text="`free`, unless `busy-unavailable` is asked for"),
}


@router.get("/fhir/Schedule", responses=refuses(UnsupportedSearch))
@router.post("/fhir/Schedule/_search", responses=refuses(UnsupportedSearch))
@computed.searched_by(_SCHEDULE_PARAMS)
async def schedules(request: _SearchSchedules) -> Response:
    """List the calendars of the people; `?actor=...` names one, or that of the site with its closed days."""
    asked = computed.read(request, resource_type="Schedule", known=_SCHEDULE_PARAMS)
    wanted = _named(request, asked, "actor")
    clinic = request.ctx.clinic
    async with request.transaction() as tx:
        roles = await queries.directory.of_type(tx, "PractitionerRole")
        found = [
            fhir.schedules.of_person(person, clinic=clinic, role=roles.get(person.id))
            for person in _people(request)
            if wanted is None or person.id == wanted
        ]
        if wanted is not None and wanted == _site_seen(request):
            found = [fhir.schedules.of_site(clinic.site(wanted), clinic=clinic)]
        return await request.answer(tx, computed.write(request, asked, found))


@router.get("/fhir/Schedule/{id}")
async def schedule(id: str, request: _ReadSchedule) -> Response:
    """Read one calendar."""
    clinic = request.ctx.clinic
    async with request.transaction() as tx:
        if id == _site_seen(request):
            return await request.answer(tx, fhir.schedules.of_site(clinic.site(id), clinic=clinic))
        person = _person(id, request)
        role = await queries.directory.one(tx, "PractitionerRole", person.id)
        found = fhir.schedules.of_person(person, clinic=clinic, role=role)
        return await request.answer(tx, found, about=role)


@router.put("/fhir/Schedule/{id}", responses=refuses(CannotChangeRoster))
async def change_schedule(id: str, request: _ChangeSchedule) -> Response:
    """Say whether and between which days new visits are booked with somebody; needs If-Match."""
    only(request, "coordinator", what="change the roster")
    received = await request.resource("Schedule")
    async with request.transaction() as tx:
        person, role = await use_cases.change_schedule.update(
            request.ctx, tx, id, received.data, expect=request.expect
        )
        found = fhir.schedules.of_person(person, clinic=request.ctx.clinic, role=role)
        return await request.answer(tx, found, about=role)


@router.get("/fhir/Slot", responses=refuses(UnsupportedSearch))
@router.post("/fhir/Slot/_search", responses=refuses(UnsupportedSearch))
@computed.searched_by(_SLOT_PARAMS)
async def slots(request: _SearchSlots) -> Response:
    """Compute free time: `?schedule=Schedule/...&start=ge...&start=lt...` (two weeks)."""
    asked = computed.read(request, resource_type="Slot", known=_SLOT_PARAMS)
    window = _window(request, asked)
    wanted = _named(request, asked, "schedule")
    of_site = wanted is not None and wanted == _site_seen(request)
    people = _people(request) if wanted is None else [] if of_site else [_person(wanted, request)]
    statuses = (asked.first("status") or "free").split(",")
    async with request.transaction() as tx:
        found = await _unavailable(request, tx, wanted, window) if _UNAVAILABLE in statuses else []
        for person in people if "free" in statuses else ():
            found += await _free(request, tx, person, window)
        return await request.answer(tx, computed.write(request, asked, found))


@router.get("/fhir/Slot/{id}")
async def slot(id: str, request: _ReadSlot) -> Response:
    """Read one free time, as long as it is free."""
    named = fhir.free_time.slot_start(id)
    if named is None:
        return await absences.reader.read(request, id)
    if not is_on_a_calendar(named[1].date()):
        raise NotFound(f"there is no Slot/{id[:64]}")
    person, start = _person(named[0], request), named[1]
    async with request.transaction() as tx:
        for found in await _free(request, tx, person, Span(start, start + _USUAL_LOOK)):
            if found["id"] == id:
                return await request.answer(tx, found)
        raise NotFound(f"there is no Slot/{id}")


# What a command has written is read by this too, so that it can be answered again.
slot.reader = absences.reader  # type: ignore[attr-defined]


async def _free(
    request: RequestContext, tx: Transaction, person: Person, window: Span
) -> list[dict[str, Any]]:
    free = await use_cases.find_free_time.run(request.ctx, tx, person, window=window)
    return [fhir.free_time.render_slot(span, person=person) for span in free]


async def _unavailable(
    request: RequestContext, tx: Transaction, wanted: str | None, window: Span
) -> list[dict[str, Any]]:
    site = _site_seen(request)
    rows = [] if site is None else await unavailable.meeting(tx, site, window=window)
    return [
        msgspec.json.decode(absences.shown(request.principal, row.body))
        for row in rows
        if wanted in (None, row.person or row.site)
    ]


def _site_seen(request: RequestContext) -> str | None:
    """Return the site whose people the caller sees."""
    is_of_site = request.principal.party in ("coordinator", "clinician")
    return request.principal.site if is_of_site else None


def _people(request: RequestContext) -> list[Person]:
    site = _site_seen(request)
    return [person for person in request.ctx.clinic.people if site is not None and person.site == site]


def _person(person_id: str, request: RequestContext) -> Person:
    for person in _people(request):
        if person.id == person_id:
            return person
    raise NotFound(f"there is no Schedule/{person_id}")


def _named(request: RequestContext, asked: ComputedQuery, name: str) -> str | None:
    """Read the id that a parameter names, empty for another server's; None where it was not given."""
    text = asked.first(name)
    if text is None:
        return None
    parsed = references.parse(text)
    return (parsed.id or "") if references.is_ours(parsed, request.ctx.urls) else ""


def _window(request: RequestContext, asked: ComputedQuery) -> Span:
    bounds = dict[str, datetime]()
    for text in asked.values["start"]:
        if text[:2] not in ("ge", "gt", "lt", "le"):
            raise UnsupportedSearch(f"start={text}: write start=ge... and start=lt...", expression="start")
        bounds[text[0]] = _moment(text[2:])
    start = bounds.get("g", request.ctx.at)
    end = bounds.get("l", start + _USUAL_LOOK)
    if end - start > _LONGEST_LOOK:
        text = f"free time is computed for at most {_LONGEST_LOOK.days} days at once"
        raise UnsupportedSearch(text, expression="start")
    return Span(start, max(start, end))


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise UnsupportedSearch(f"{text!r} is no date or instant", expression="start") from None
    if not is_on_a_calendar(moment.date()):
        raise UnsupportedSearch(f"{text!r} lies on no calendar of ours", expression="start")
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
