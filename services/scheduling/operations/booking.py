"""Free times are found, held and booked, as IHE's Scheduling has it: $find, $hold and $book.

A visit that is booked already is moved and called off by $book too, as a PUT of it does.
"""

from dataclasses import replace
from typing import Any

from services.scheduling import fhir, use_cases
from services.scheduling.models.appointment_change import AppointmentChange
from services.scheduling.rules.moving import CannotMove
from services.scheduling.rules.status_change import NotInThisState, TooEarly
from services.scheduling.states import AppointmentStatus
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from services.scheduling.use_cases.book_visit import CannotBook, NoOverbooking
from services.scheduling.use_cases.change import ChangedMeanwhile, HeldByAnother, VisitOfAnother
from services.scheduling.use_cases.find_times import NothingToFind
from shared.auth.principal import PartyKind
from shared.clinic import Clinic, Discipline
from shared.context import Context
from shared.db import Transaction
from shared.db.models import Resource
from shared.operations import InquiryAnswer, Operation, OperationInput, Parameter, Run

_PARTIES: tuple[PartyKind, ...] = ("coordinator", "clinician", "referrer")
FIND_ROWS = (
    "times for the referrals that the caller sees; a clinician's own times, a referrer's for first visits"
    " that are left to the priority"
)
BOOK_ROWS = (
    "the referrals of a coordinator's site; a clinician's own visits for those that they see; a referrer's"
    " own referrals, first visits only"
)
_REFUSALS = (CannotBook, VisitOfAnother, NoOverbooking)
_LONGEST = fhir.time_search.LONGEST_LOOK.days


def _programmes(clinic: Clinic) -> list[str]:
    return [programme.id for programme in clinic.programmes]


_WANTED = (
    Parameter(name="start", type="dateTime", min=1, text="From when on, with its zone."),
    Parameter(
        name="end", type="dateTime", min=1, text=f"Until when, with its zone; {_LONGEST} days at the most."
    ),
    Parameter(name="visit-type", type="code", text="The visit by its name, `first` of the first one."),
    Parameter(name="specialty", type="code", text="A discipline that gives it.", values=tuple(Discipline)),
    Parameter(name="referral", type="Reference", targets=("ServiceRequest",), text="For which it would be."),
    Parameter(
        name="patient", type="Reference", targets=("Patient",), text="Whose one open referral is meant."
    ),
    Parameter(
        name="service-type",
        type="code",
        text="The programme, where no referral is named.",
        values=_programmes,
    ),
    Parameter(
        name="practitioner", type="Reference", max="*", targets=("Practitioner",), text="Who leads it."
    ),
    Parameter(name="location", type="Reference", max="*", targets=("Location",), text="A room, or a site."),
    Parameter(name="language", type="code", text="A language that who leads it speaks, such as `fr`."),
    Parameter(name="wheelchair", type="boolean", text="Only in rooms that are fit for a wheelchair."),
    Parameter(name="same-clinician", type="boolean", text="Only with who saw or will see the patient."),
    Parameter(name="_count", type="integer", text="How many times at the most, 20 unless said, up to 100."),
)


def find(cache: AvailabilityCache) -> Operation[Any]:
    """Return the operation that finds times; nothing that it finds is taken."""
    return Operation(
        name="find",
        level="type",
        resource_type="Appointment",
        parties=_PARTIES,
        interaction="s",
        rows=FIND_ROWS,
        text="Find times at which a visit fits: proposed Appointments, the earliest first, none taken.",
        parameters=_WANTED,
        returns="Bundle",
        refuses=(NothingToFind,),
        run=_finder(cache),
    )


_RESOURCE = Parameter(
    name="appointment-resource",
    type="Resource",
    text="The Appointment, as `$find` proposes it with `basedOn`, or as it stands with its id.",
)
_OVERBOOK = (
    Parameter(
        name="overbook",
        type="boolean",
        text="Beside another visit of the clinician who leads it, if need be: for who has that right.",
    ),
    Parameter(name="reason", text="Why it is overbooked, in words that everybody who sees the visit reads."),
)


def hold() -> Operation[Any]:
    """Return the operation that holds a time for its caller."""
    return Operation(
        name="hold",
        level="type",
        resource_type="Appointment",
        parties=_PARTIES,
        interaction="c",
        rows=BOOK_ROWS,
        text="Hold a time that was found: a pending Appointment that nobody else books until it expires.",
        parameters=(replace(_RESOURCE, min=1), *_OVERBOOK),
        returns="Appointment",
        refuses=_REFUSALS,
        run=_hold,
    )


def book(cache: AvailabilityCache) -> Operation[Any]:
    """Return the operation that books a visit, and changes one that is booked."""
    return Operation(
        name="book",
        level="type",
        resource_type="Appointment",
        parties=_PARTIES,
        interaction="c",
        rows=BOOK_ROWS,
        text="Book a visit at a time that was found; with its id, move a visit or call it off as a PUT does.",
        parameters=(
            _RESOURCE,
            Parameter(
                name="appointment-reference",
                type="Reference",
                targets=("Appointment",),
                text="Instead of it: a hold of the caller's own.",
            ),
            *_OVERBOOK,
        ),
        returns="Appointment",
        refuses=(*_REFUSALS, HeldByAnother, ChangedMeanwhile, NotInThisState, TooEarly, CannotMove),
        run=_booker(cache),
    )


def _finder(cache: AvailabilityCache) -> Run:
    async def run(ctx: Context, tx: Transaction, given: OperationInput) -> InquiryAnswer:
        wanted = fhir.time_search.read(given.values, urls=ctx.urls)
        found = await use_cases.find_times.run(ctx, tx, wanted, cache=cache)
        rows = [] if found.referral is None else [found.referral]
        body = fhir.time_search.bundle(
            ctx, found.times, programme=found.programme, referral=found.referral, is_all=found.is_all
        )
        return InquiryAnswer(body=body, rows=rows, asked=())

    return run


async def _hold(ctx: Context, tx: Transaction, given: OperationInput) -> Resource:
    return await use_cases.book_visit.hold(ctx, tx, fhir.proposals.wanted(given.values, urls=ctx.urls))


def _booker(cache: AvailabilityCache) -> Run:
    async def run(ctx: Context, tx: Transaction, given: OperationInput) -> Resource:
        standing = fhir.proposals.standing_in(given.values, urls=ctx.urls)
        if standing is None:
            wanted = fhir.proposals.wanted(given.values, urls=ctx.urls)
            return await use_cases.book_visit.run(ctx, tx, wanted)
        referral, row = await use_cases.change.for_caller(ctx, tx, standing.id)
        use_cases.change.expect(row, version=standing.version)
        change = AppointmentChange(status=AppointmentStatus.BOOKED)
        if standing.resource is not None:
            change = fhir.appointment_change.read(row, standing.resource, urls=ctx.urls)
        return await use_cases.change.run(ctx, tx, row, change, referral=referral, cache=cache)

    return run
