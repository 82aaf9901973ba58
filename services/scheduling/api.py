"""The doors of scheduling: appointments and their changes, series, the guarantee, computed free time."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter
from sqlmodel import col
from starlette.responses import Response

from services.scheduling import fhir, queries, use_cases
from services.scheduling.models import Appointment, Guarantee, Series
from services.scheduling.rules import Span, is_on_a_calendar
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from services.scheduling.use_cases.change_appointment import NotInThisState, TooEarly
from services.scheduling.use_cases.move_appointment import CannotMove
from shared.clinic import Person
from shared.db import Transaction
from shared.errors import NotFound, NotSupported
from shared.fhir.codes import GuaranteeStatus
from shared.fhir.references import parse
from shared.fhir.search import SearchParam
from shared.http.authorize import authorize, only
from shared.http.request_context import RequestContext
from shared.http.resources import add_reads
from shared.http.responses import query, refuses

APPOINTMENT_ROWS = (
    "a coordinator's site, a clinician's own visits, a referrer's own referrals; nobody else any"
)
SERIES_ROWS = "as appointments; a clinician those with a session of their own"
GUARANTEE_ROWS = "as appointments; a clinician those of patients with a visit of their own"
FREE_ROWS = "the people of a coordinator's or clinician's site; nobody else any"
_LONGEST_LOOK = timedelta(days=62)
_USUAL_LOOK = timedelta(days=14)

Asked = Annotated[RequestContext, authorize("Appointment", "u", rows=APPOINTMENT_ROWS)]
AskedGuarantee = Annotated[RequestContext, authorize("Task", "s", rows=GUARANTEE_ROWS)]
AskedSchedule = Annotated[RequestContext, authorize("Schedule", "r", rows=FREE_ROWS)]
AskedSchedules = Annotated[RequestContext, authorize("Schedule", "s", rows=FREE_ROWS)]
AskedSlot = Annotated[RequestContext, authorize("Slot", "r", rows=FREE_ROWS)]
AskedSlots = Annotated[RequestContext, authorize("Slot", "s", rows=FREE_ROWS)]


EXAMPLES = {
    "PUT /fhir/Appointment/{id}": {
        "resourceType": "Appointment",
        "status": "arrived",
        "start": "2026-03-09T14:00:00Z",
        "end": "2026-03-09T15:00:00Z",
        "participant": [
            {
                "actor": {"reference": "Patient/0b9d2f5e-6c1a-7e43-8f2b-1a3c5d7e9f01"},
                "status": "accepted",
            }
        ],
    }
}
_STATUS = "one or several with `,`"
_ACTOR = "`Practitioner/id`"
_START = "`ge...` and `lt...`, twice; two weeks from now unless said"


class NoSuchLook(NotSupported):
    """The search for free time asks for something that this server does not do."""


def router_of(cache: AvailabilityCache) -> APIRouter:
    """Make the routes of scheduling."""
    router = APIRouter()
    _add_reads(router)
    _add_change(router, cache)
    _add_guarantee(router)
    _add_schedule(router)
    _add_slot(router)
    return router


def _add_reads(router: APIRouter) -> None:
    patient = ("Patient",)
    add_reads(
        router,
        resource_type="Appointment",
        model=Appointment,
        visible=queries.appointment_scope,
        rows=APPOINTMENT_ROWS,
        params={
            "based-on": SearchParam(kind="reference", column=col(Appointment.referral_id), types=_REQUEST),
            "patient": SearchParam(kind="reference", column=col(Appointment.patient_id), types=patient),
            "practitioner": SearchParam(
                kind="reference", column=col(Appointment.practitioner), types=("Practitioner",)
            ),
            "location": SearchParam(kind="reference", column=col(Appointment.room), types=("Location",)),
            "status": SearchParam(kind="token", column=col(Appointment.status)),
            "date": SearchParam(kind="date", column=col(Appointment.starts_at)),
            "appointment-type": SearchParam(kind="token", column=col(Appointment.kind)),
            "service-type": SearchParam(kind="token", column=col(Appointment.programme)),
        },
    )
    add_reads(
        router,
        resource_type="List",
        model=Series,
        visible=queries.series_scope,
        rows=SERIES_ROWS,
        params={
            "identifier": SearchParam(kind="tokens", column=col(Series.identifiers)),
            "patient": SearchParam(kind="reference", column=col(Series.patient_id), types=patient),
            "subject": SearchParam(kind="reference", column=col(Series.patient_id), types=patient),
        },
    )
    add_reads(
        router,
        resource_type="Task",
        model=Guarantee,
        visible=queries.guarantee_scope,
        rows=GUARANTEE_ROWS,
        params={
            "focus": SearchParam(kind="reference", column=col(Guarantee.referral_id), types=_REQUEST),
            "based-on": SearchParam(kind="reference", column=col(Guarantee.referral_id), types=_REQUEST),
            "patient": SearchParam(kind="reference", column=col(Guarantee.patient_id), types=patient),
            "subject": SearchParam(kind="reference", column=col(Guarantee.patient_id), types=patient),
            "business-status": SearchParam(kind="token", column=col(Guarantee.status)),
        },
    )


_REQUEST = ("ServiceRequest",)


def _add_change(router: APIRouter, cache: AvailabilityCache) -> None:
    @router.put("/fhir/Appointment/{id}", responses=refuses(NotInThisState, TooEarly, CannotMove))
    async def change(id: str, request: Asked) -> Response:
        """Record arrived, fulfilled, noshow or cancelled, or give a new start."""
        only(request, "coordinator", "clinician", what="change appointments")
        asked = await request.resource("Appointment")
        async with request.transaction() as tx:
            row = await use_cases.appointment_for_change(request.ctx, tx, id)
            request.expect(row)
            wanted = fhir.wanted_change(row, asked.data)
            await use_cases.change_appointment(request.ctx, tx, row, wanted, cache=cache)
            return await request.answer(tx, row.body, about=row, patient=row.patient_id)


def _add_guarantee(router: APIRouter) -> None:
    @router.get("/guarantee", responses=refuses(NoSuchLook), openapi_extra=query(status=_STATUS))
    async def guarantee(request: AskedGuarantee) -> Response:
        """List the promises of the coordinator's site, the one that ends first first; `?status=` filters."""
        only(request, "coordinator", what="see the promises of a site")
        _know(request, {"status"})
        statuses = _statuses(request.query.get("status"))
        async with request.transaction() as tx:
            found = await queries.guarantees_visible_to(tx, request.principal, statuses=statuses)
            rows = [
                fhir.describe_guarantee(row, referral=referral, first=first) for row, referral, first in found
            ]
            return await request.answer(tx, msgspec.json.encode(rows), media_type="application/json")


def _add_schedule(router: APIRouter) -> None:
    @router.get("/fhir/Schedule", responses=refuses(NoSuchLook), openapi_extra=query(actor=_ACTOR))
    async def schedules(request: AskedSchedules) -> Response:
        """List the calendars of the site; `?actor=Practitioner/...` names one."""
        _know(request, {"actor"})
        wanted = parse(request.query.get("actor", "")).id
        found = [
            fhir.render_schedule(person)
            for person in _people(request)
            if "actor" not in request.query or person.id == wanted
        ]
        async with request.transaction() as tx:
            return await request.answer(tx, _searchset(found, request))

    @router.get("/fhir/Schedule/{id}")
    async def schedule(id: str, request: AskedSchedule) -> Response:
        """Read one calendar."""
        person = _person(id, request)
        async with request.transaction() as tx:
            return await request.answer(tx, fhir.render_schedule(person))


def _add_slot(router: APIRouter) -> None:
    @router.get(
        "/fhir/Slot",
        responses=refuses(NoSuchLook),
        openapi_extra=query(schedule="`Schedule/id`", start=_START, status="`free`"),
    )
    async def slots(request: AskedSlots) -> Response:
        """Compute free time: `?schedule=Schedule/...&start=ge...&start=lt...` (two weeks)."""
        _know(request, {"schedule", "start", "status"})
        window = _window(request)
        wanted = parse(request.query.get("schedule", "")).id
        people = [_person(wanted or "", request)] if "schedule" in request.query else _people(request)
        # Only what is free is computed; a search for any other status finds nothing.
        people = people if "free" in request.query.get("status", "free").split(",") else []
        async with request.transaction() as tx:
            found = [slot for person in people for slot in await _free(request, tx, person, window)]
            return await request.answer(tx, _searchset(found, request))

    @router.get("/fhir/Slot/{id}")
    async def slot(id: str, request: AskedSlot) -> Response:
        """Read one free time, as long as it is free."""
        named = fhir.slot_start(id)
        if named is None or not is_on_a_calendar(named[1]):
            raise NotFound(f"there is no Slot/{id[:64]}")
        person, start = _person(named[0], request), named[1]
        async with request.transaction() as tx:
            for one in await _free(request, tx, person, Span(start, start + _USUAL_LOOK)):
                if one["id"] == id:
                    return await request.answer(tx, one)
            raise NotFound(f"there is no Slot/{id}")


async def _free(
    request: RequestContext, tx: Transaction, person: Person, window: Span
) -> list[dict[str, Any]]:
    free = await use_cases.free_time(request.ctx, tx, person, window=window)
    return [fhir.render_slot(span, person=person) for span in free]


def _people(request: RequestContext) -> list[Person]:
    if request.principal.party not in ("coordinator", "clinician"):
        return []
    return [person for person in request.ctx.clinic.people if person.site == request.principal.site]


def _person(person_id: str, request: RequestContext) -> Person:
    for person in _people(request):
        if person.id == person_id:
            return person
    raise NotFound(f"there is no Schedule/{person_id}")


def _searchset(found: Sequence[dict[str, Any]], request: RequestContext) -> dict[str, Any]:
    return fhir.searchset(found, address=str(request.http.url), base=request.runtime.fhir_base)


def _statuses(text: str | None) -> list[str]:
    wanted = text.split(",") if text else []
    for one in wanted:
        if one not in list(GuaranteeStatus):
            text = f"status {one!r} is none of {', '.join(GuaranteeStatus)}"
            raise NoSuchLook(text, expression="status")
    return wanted


def _know(request: RequestContext, known: set[str]) -> None:
    for name in request.query:
        if name not in known:
            text = f"parameter {name!r} is none of {', '.join(sorted(known))}"
            raise NoSuchLook(text, expression=name[:64])


def _window(request: RequestContext) -> Span:
    bounds = dict[str, datetime]()
    for text in request.query.getlist("start"):
        if text[:2] not in ("ge", "gt", "lt", "le"):
            raise NoSuchLook(f"start={text}: write start=ge... and start=lt...", expression="start")
        bounds[text[0]] = _moment(text[2:])
    start = bounds.get("g", request.ctx.at)
    end = bounds.get("l", start + _USUAL_LOOK)
    if end - start > _LONGEST_LOOK:
        text = f"free time is computed for at most {_LONGEST_LOOK.days} days at once"
        raise NoSuchLook(text, expression="start")
    return Span(start, max(start, end))


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise NoSuchLook(f"{text!r} is no date or instant", expression="start") from None
    if not is_on_a_calendar(moment):
        raise NoSuchLook(f"{text!r} lies on no calendar of ours", expression="start")
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
