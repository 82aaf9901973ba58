"""A time that a person chose: whether it can be had, and if not, what blocks it and until when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from services.scheduling import texts
from services.scheduling.models import Appointment, Referral, Span, Taken
from services.scheduling.rules import series_state
from services.scheduling.rules.calendar import working_spans
from services.scheduling.rules.candidates import Candidate, load_of
from services.scheduling.rules.entitlement import Entitlement, NoEntitlement, inside_dates
from services.scheduling.rules.intervals import is_free, merged, until_free
from services.scheduling.rules.needs import Need, patient_key, person_key, room_key
from services.scheduling.rules.series import week_of
from services.scheduling.states import AppointmentStatus, ReferralState
from shared.clinic import Person, Room
from shared.errors import Conflict


class CannotMove(Conflict):
    """The wanted time cannot be had; the text says which resource or bound stands in the way."""


def cannot_move(text: str) -> CannotMove:
    """Refuse a new start."""
    return CannotMove(text, expression="Appointment.start")


@dataclass(frozen=True, kw_only=True)
class Blocked:
    """What stands in the way: a reference, until when (None when that is no matter of waiting), and why."""

    resource: str
    until: datetime | None
    why: str


def check(row: Appointment, start: datetime, *, referral: Referral, now: datetime) -> None:
    """Raise CannotMove where an appointment gets no new time now."""
    if row.status not in (AppointmentStatus.WAITLIST, AppointmentStatus.BOOKED):
        raise cannot_move(texts.no_new_time(row.status))
    if referral.state == ReferralState.ENDED:
        raise cannot_move(texts.REFERRAL_ENDED)
    if start <= now:
        raise cannot_move(texts.IN_THE_PAST)


def check_session(
    start: datetime,
    *,
    first: Appointment | None,
    others: Iterable[Appointment],
    entitled: Entitlement | NoEntitlement,
    per_week: int | None,
    zone: ZoneInfo,
) -> None:
    """Hold a session's new start against the first appointment, the grant and the programme's pace.

    `others` are the other sessions of the series. Raises CannotMove.
    """
    day = start.astimezone(zone).date()
    if first is not None and first.ends_at is not None and start < first.ends_at:
        raise cannot_move(texts.BEFORE_THE_FIRST)
    if isinstance(entitled, NoEntitlement):
        raise cannot_move(entitled.why)
    if not inside_dates(day, entitled=entitled):
        raise cannot_move(texts.outside_the_grant(entitled.starts_on, entitled.ends_on))
    weeks = series_state.weeks_of(series_state.counting(others), zone=zone)
    if per_week is not None and weeks[week_of(day)] >= per_week:
        raise cannot_move(texts.week_is_full(per_week))


def place_at(span: Span, row: Appointment, *, need: Need, taken: Taken) -> Candidate:
    """Find a clinician and a room for a chosen time; raises CannotMove with the first thing in the way.

    A booked visit keeps its clinician, and its room where that is free; whoever waits gets the least loaded
    clinician. The patient's unavailable times do not block: whoever moves a visit has asked the patient.
    """
    busy_until = until_free(merged(taken.get(patient_key(row.patient_id), ())), span)
    if busy_until is not None:
        raise _blocked(Blocked(resource="Patient", until=busy_until, why=texts.BUSY))
    person = _person(span, need=need, people=_people(row, need=need, taken=taken), taken=taken)
    if isinstance(person, Blocked):
        raise _blocked(person)
    rooms = sorted(need.rooms, key=lambda room: room.id != row.room)
    room = _room(span, rooms=rooms, taken=taken)
    if isinstance(room, Blocked):
        raise _blocked(room)
    return Candidate(person=person, room=room, span=span)


def _blocked(blocked: Blocked) -> CannotMove:
    return cannot_move(texts.blocked(blocked.resource, blocked.why, until=blocked.until))


def _people(row: Appointment, *, need: Need, taken: Taken) -> Sequence[Person]:
    if row.practitioner is not None:
        return [person for person in need.people if person.id == row.practitioner]
    return sorted(need.people, key=lambda person: (load_of(person, taken=taken), person.id))


def _person(span: Span, *, need: Need, people: Sequence[Person], taken: Taken) -> str | Blocked:
    blocked = Blocked(resource="Location", until=None, why=texts.nobody_gives(need.discipline))
    for person in people:
        works = working_spans(person, site=need.site, purpose=need.purpose, window=span)
        busy_until = until_free(merged(taken.get(person_key(person.id), ())), span)
        reference = f"Practitioner/{person.id}"
        if works != [span]:
            blocked = Blocked(resource=reference, until=None, why=texts.no_hours(need.purpose))
        elif busy_until is not None:
            blocked = Blocked(resource=reference, until=busy_until, why=texts.BUSY)
        else:
            return person.id
    return blocked


def _room(span: Span, *, rooms: Iterable[Room], taken: Taken) -> str | Blocked:
    ends: list[tuple[datetime, str]] = []
    for room in rooms:
        busy = merged(taken.get(room_key(room.id), ()))
        if is_free(busy, span):
            return room.id
        ends.append((until_free(busy, span) or span.end, room.id))
    if not ends:
        return Blocked(resource="Location", until=None, why=texts.NO_SUCH_ROOM)
    until, room_id = min(ends)
    return Blocked(resource=f"Location/{room_id}", until=until, why=texts.ROOMS_TAKEN)
