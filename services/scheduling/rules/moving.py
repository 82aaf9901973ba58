"""A time that a person chose: whether it can be had, and if not, what blocks it and until when."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from services.scheduling import texts
from services.scheduling.models import Appointment, Referral, Span, Taken
from services.scheduling.rules import series_state
from services.scheduling.rules.candidates import Candidate, load_of
from services.scheduling.rules.entitlement import Entitlement, NoEntitlement, inside_dates
from services.scheduling.rules.intervals import merged, until_free
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


def check(row: Appointment, start: datetime, *, referral: Referral, now: datetime) -> None:
    """Raise CannotMove where an appointment gets no new time now."""
    if row.status not in (AppointmentStatus.WAITLIST, AppointmentStatus.BOOKED):
        raise cannot_move(texts.NO_NEW_TIME.format(status=row.status))
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
        raise cannot_move(
            texts.OUTSIDE_THE_GRANT.format(starts_on=entitled.starts_on, ends_on=entitled.ends_on)
        )
    weeks = series_state.weeks_of(series_state.counting(others), zone=zone)
    if per_week is not None and weeks[week_of(day)] >= per_week:
        raise cannot_move(texts.WEEK_IS_FULL.format(per_week=per_week))


def place_at(span: Span, row: Appointment, *, need: Need, taken: Taken) -> Candidate:
    """Find a clinician and a room for a chosen time; raises CannotMove with the first thing in the way.

    A booked visit keeps its clinician, and its room where that is free; whoever waits gets the least loaded
    clinician. The patient's unavailable times do not block: whoever moves a visit has asked the patient.
    """
    busy_until = until_free(merged(taken.get(patient_key(row.patient_id), ())), span)
    if busy_until is not None:
        raise _blocked("Patient", texts.BUSY, until=busy_until)
    person_id = _person(span, need=need, people=_people(row, need=need, taken=taken), taken=taken)
    rooms = sorted(need.rooms, key=lambda room: room.id != row.room)
    return Candidate(person=person_id, room=_room(span, rooms=rooms, taken=taken), span=span)


def _people(row: Appointment, *, need: Need, taken: Taken) -> Sequence[Person]:
    if row.practitioner is not None:
        return [person for person in need.people if person.id == row.practitioner]
    return sorted(need.people, key=lambda person: (load_of(person, taken=taken), person.id))


def _person(span: Span, *, need: Need, people: Sequence[Person], taken: Taken) -> str:
    refusal = _blocked("Location", texts.NOBODY_GIVES.format(discipline=need.discipline))
    for person in people:
        reference = f"Practitioner/{person.id}"
        busy_until = until_free(merged(taken.get(person_key(person.id), ())), span)
        if need.works(person, window=span) != [span]:
            refusal = _blocked(reference, texts.NO_HOURS.format(purpose=need.purpose))
        elif busy_until is not None:
            refusal = _blocked(reference, texts.BUSY, until=busy_until)
        else:
            return person.id
    raise refusal


def _room(span: Span, *, rooms: Iterable[Room], taken: Taken) -> str:
    ends: list[tuple[datetime, str]] = []
    for room in rooms:
        busy_until = until_free(merged(taken.get(room_key(room.id), ())), span)
        if busy_until is None:
            return room.id
        ends.append((busy_until, room.id))
    if not ends:
        raise _blocked("Location", texts.NO_SUCH_ROOM)
    until, room_id = min(ends)
    raise _blocked(f"Location/{room_id}", texts.ROOMS_TAKEN, until=until)


def _blocked(resource: str, why: str, *, until: datetime | None = None) -> CannotMove:
    sentence = texts.BLOCKED if until is None else texts.BLOCKED_UNTIL
    return cannot_move(sentence.format(resource=resource, why=why, until=until))
