"""Which visits people book, who books which, and when.

- A programme has its first visit, one session more beside a series that is booked, and what it names. A first
  visit is booked in the place of the one that waits; one by several disciplines also in the place of one
  that is booked.
- A hold is booked by the client that holds it, until it expires.
- Who has the right to (`overbooks` of a client in clinic.yaml) books a second visit beside one of its
  clinician, with a reason.
- A referrer and a patient book the first visit of their own referral, by what `self_booking` says.
- A coordinator books everything at the site, a clinician what they take part in themselves.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.scheduling.models.booking import BookableVisit
from services.scheduling.models.rows import Appointment, GroupSession, Referral, Series
from services.scheduling.rules.entitlement import Entitlement, NoEntitlement
from services.scheduling.rules.needs import Need
from services.scheduling.rules.self_booking import is_outside
from services.scheduling.states import LIVE_FIRST, UNTIMED, AppointmentStatus, ReferralState, SeriesStatus
from shared.auth.principal import Principal
from shared.clinic import Client, Programme, Visit
from shared.fhir.codes import FIRST_KINDS, AppointmentKind
from shared.reasons import Reason

FIRST = "first"


def visits_of(programme: Programme) -> list[BookableVisit]:
    """List the visits of a programme that people book, the first one first."""
    first, course = programme.first, programme.course
    of_series = [] if course is None else [_session(visit) for visit in course.treatments.values()]
    return [
        BookableVisit(
            name=FIRST, kind=AppointmentKind.FIRST, minutes=first.minutes, disciplines=(first.discipline,)
        ),
        *of_series,
        *(
            BookableVisit(
                name=visit.id,
                kind=AppointmentKind(visit.kind),
                minutes=visit.minutes,
                disciplines=visit.disciplines,
                type=visit,
            )
            for visit in programme.visits
        ),
    ]


def _session(visit: Visit) -> BookableVisit:
    kind = AppointmentKind.SESSION
    return BookableVisit(name=kind, kind=kind, minutes=visit.minutes, disciplines=(visit.discipline,))


def named(programme: Programme, name: str, *, discipline: str | None = None) -> BookableVisit | None:
    """Find the visit of a programme by its name; of several sessions that of a discipline, if one is said."""
    found = [visit for visit in visits_of(programme) if visit.name == name]
    return next((one for one in found if discipline in one.disciplines), next(iter(found), None))


NO_SERIES = Reason.of("no-series")


def why_no_session(series: Series | None) -> Reason | None:
    """Say why a referral gets no session more; None where its series is booked."""
    return None if series is not None and series.status == SeriesStatus.BOOKED else NO_SERIES


def why_no_units(counted: int, *, entitled: Entitlement | NoEntitlement, discipline: str) -> Reason | None:
    """Say that all sessions of a discipline that may be had are booked or took place; None where one more may
    be had.
    """
    if isinstance(entitled, NoEntitlement):
        return entitled.why
    count = entitled.of(discipline).count
    return Reason.of("sessions-used", count=count) if counted >= count else None


def why_not_by(caller: Principal, row: Appointment) -> Reason | None:
    """Say why a caller does not book a visit with these people; None where they may."""
    if caller.party == "clinician" and caller.practitioner not in (row.practitioner, *row.colleagues):
        return Reason.of("visit-of-another")
    return None


def visits_for(caller: Principal, visits: Iterable[BookableVisit]) -> list[BookableVisit]:
    """List those of these visits that a caller books: from outside the clinic the first one alone."""
    return [visit for visit in visits if visit.name == FIRST or not is_outside(caller)]


def open_to(caller: Principal, need: Need) -> Need | None:
    """Narrow a need to what a caller books: of a clinician the visits in which they take part themselves.

    None where they book no such visit.
    """
    if caller.party != "clinician":
        return need
    mine = str(caller.practitioner)
    if any(person.id == mine for person in need.people):
        return need.led_by({mine})
    groups = [tuple(person for person in group if person.id == mine) or group for group in need.colleagues]
    is_in = any(person.id == mine for group in need.colleagues for person in group)
    return replace(need, colleagues=tuple(groups)) if is_in else None


def narrowed(
    need: Need,
    *,
    practitioners: Sequence[str],
    language: str | None,
    locations: Sequence[str],
    wheelchair: bool,
) -> Need | None:
    """Narrow a need to what is asked for; None where nothing of it is left.

    Who leads a visit speaks the language. A site among the locations stands for all its rooms.
    """
    people = tuple(
        person
        for person in need.people
        if (not practitioners or person.id in practitioners)
        and (language is None or language in person.languages)
    )
    rooms = tuple(
        room
        for room in need.rooms
        if (not locations or room.id in locations or need.site.id in locations)
        and (room.wheelchair or not wheelchair)
    )
    elsewhere = bool(locations) and not need.has_room and need.site.id not in locations
    if not people or elsewhere or (need.has_room and not rooms):
        return None
    return replace(need, people=people, rooms=rooms)


def first_to_take(firsts: Iterable[Appointment]) -> Appointment | None:
    """Find the first appointment of a referral that lives: a new one is booked in its place."""
    return next((row for row in firsts if row.status in LIVE_FIRST), None)


def why_first_stands(row: Appointment, kind: str, visit_type: str | None) -> Reason | None:
    """Say why a first appointment that lives gives no place to another; None where it does."""
    if row.status in UNTIMED:
        return None
    if row.status != AppointmentStatus.BOOKED:
        return Reason.of("first-took-place")
    is_same = (row.kind, row.visit_type) == (kind, visit_type)
    return Reason.of("first-stands", when=row.starts_at) if is_same else None


def put_into(row: Appointment, visit: BookableVisit) -> None:
    """Make an appointment one of this visit, without a clinician of its own."""
    row.kind, row.visit_type, row.minutes = visit.kind, visit.type.id if visit.type else None, visit.minutes
    row.practitioner, row.colleagues, row.room, row.equipment = None, [], None, []
    row.discipline = visit.disciplines[0] if visit.kind == AppointmentKind.SESSION else None


def why_not_confirmed(
    row: Appointment, *, referral: Referral, firsts: Iterable[Appointment], now: datetime
) -> Reason | None:
    """Say why a hold cannot be booked; None where it can.

    The hold of a first visit gives its time to a first appointment that has none.
    """
    if row.held_until is None or row.held_until <= now:
        return Reason.of("hold-expired", until=row.held_until)
    if referral.state == ReferralState.ENDED:
        return Reason.of("referral-ended")
    if row.kind not in FIRST_KINDS:
        return None
    first = first_to_take(firsts)
    if first is None:
        return Reason.of("no-first-to-book")
    return why_first_stands(first, row.kind, row.visit_type)


def become(row: Appointment, held: Appointment) -> None:
    """Make a first appointment the visit that is held, with the same people and the same room."""
    row.kind, row.visit_type, row.minutes = held.kind, held.visit_type, held.minutes
    row.practitioner, row.colleagues = held.practitioner, held.colleagues
    row.room, row.equipment = held.room, held.equipment
    row.overbooked_because = held.overbooked_because


def count_taken(row: Appointment) -> int:
    """Count what a visit takes: clinicians, patient, room and equipment; of a seat the patient only."""
    return 1 if row.group_session is not None else 1 + count_beside_patients(row)


def count_beside_patients(visit: Appointment | GroupSession) -> int:
    """Count the clinicians, room and equipment of a visit or of a group session."""
    return 1 + len(visit.colleagues) + (visit.room is not None) + len(visit.equipment)


def taken_until(row: Appointment) -> datetime | None:
    """Return until when a visit takes what it takes: a hold until it expires; None for good."""
    return row.held_until if row.status == AppointmentStatus.PENDING else None


def why_no_overbooking(client: Client | None) -> Reason | None:
    """Say why a caller does not overbook; None where clinic.yaml gives them the right."""
    return None if client is not None and client.overbooks else Reason.of("no-overbooking")


def end_of(visit: BookableVisit, start: datetime) -> datetime:
    """Return when a visit that begins at a time is over."""
    return start + timedelta(minutes=visit.minutes)


def is_first(visit: BookableVisit) -> bool:
    """Tell whether a visit is the first one of a referral, by one discipline or by several."""
    return visit.kind in FIRST_KINDS
