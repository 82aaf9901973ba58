"""Seats of group sessions: which one a patient gets, and when a session ends."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.scheduling.models.rows import Appointment, GroupSession
from services.scheduling.models.spans import Span, Taken
from services.scheduling.rules.booking import taken_until
from services.scheduling.rules.candidates import Candidate
from services.scheduling.rules.intervals import merged, until_free
from services.scheduling.rules.needs import Need, patient_key, person_key, room_key
from services.scheduling.states import GroupStatus
from shared.reasons import Reason, Reference

NO_GROUP = Reason.of("no-group")


def free_seat(session: GroupSession, taken: Collection[int]) -> int | None:
    """Return the first seat of a session that nobody has; None where it is full."""
    return next((seat for seat in range(1, session.seats + 1) if seat not in taken), None)


def to_join(
    sessions: Sequence[GroupSession],
    row: Appointment,
    *,
    starts_at: datetime,
    taken: Mapping[UUID, Collection[int]],
) -> tuple[GroupSession, int] | None:
    """Find a session with a seat for a visit at a time: with the clinician that it has, where it has one."""
    for session in sessions:
        is_open = session.status == GroupStatus.OPEN and session.starts_at == starts_at
        seat = free_seat(session, taken[session.id])
        if is_open and seat is not None and row.practitioner in (None, session.practitioner):
            return session, seat
    return None


def is_for(session: GroupSession, need: Need, *, taken: Collection[int]) -> bool:
    """Tell whether a session has a seat, and is led by somebody and in a room that are asked for."""
    people, rooms = {one.id for one in need.people}, {one.id for one in need.rooms}
    fits = session.practitioner in people and (session.room in rooms or not need.has_room)
    return fits and free_seat(session, taken) is not None


def can_come(session: GroupSession, *, never: Sequence[Span], barred: Taken) -> bool:
    """Tell whether nothing keeps a patient from a session: away, something else, or what was given up."""
    span = Span(session.starts_at, session.ends_at)
    bars = [
        one
        for key, spans in barred.items()
        if key in (person_key(session.practitioner), room_key(session.room or ""))
        for one in spans
    ]
    return not any(span.meets(other) for other in (*never, *bars))


def why_full(sessions: Sequence[GroupSession], row: Appointment, *, starts_at: datetime) -> Reason | None:
    """Say that the session of the chosen clinician at a time is full; None where there is none."""
    for session in sessions:
        if session.starts_at == starts_at and session.practitioner == row.practitioner:
            return _full(session)
    return None


def why_not_again(session: GroupSession, taken: Collection[int], *, now: datetime) -> Reason | None:
    """Say why nobody gets a seat of a session again: it does not take place, or is full; None where one may.

    What took place can still be recorded of a session that all have left.
    """
    is_over = session.starts_at <= now
    if session.status == GroupStatus.CANCELLED or (session.status == GroupStatus.EMPTY and not is_over):
        return Reason.of("group-ended")
    if free_seat(session, taken) is None:
        return _full(session)
    return None


def _full(session: GroupSession) -> Reason:
    who = Reference(f"Practitioner/{session.practitioner}")
    return Reason.of("group-full", practitioner=who, seats=session.seats, until=session.ends_at)


def why_patient_busy(row: Appointment, span: Span, *, taken: Taken) -> Reason | None:
    """Say until when the patient has something else; None where they have not."""
    until = until_free(merged(taken.get(patient_key(row.patient_id), ())), span)
    return None if until is None else Reason.of("patient-busy", until=until)


def session_of(row: Appointment, place: Candidate, *, need: Need) -> GroupSession:
    """Make the session that a visit opens at a place."""
    return GroupSession(
        site=row.site,
        programme=row.programme,
        visit_type=str(row.visit_type),
        practitioner=place.person,
        colleagues=list(place.colleagues),
        room=place.room,
        equipment=list(place.equipment),
        starts_at=place.span.start,
        ends_at=place.span.end,
        seats=need.seats or 0,
        held_until=taken_until(row),
    )


def put_into(row: Appointment, session: GroupSession, seat: int) -> None:
    """Give a visit a seat of a session, with the session's time and people."""
    row.group_session, row.seat = session.id, seat
    row.starts_at, row.ends_at = session.starts_at, session.ends_at
    row.practitioner, row.colleagues = session.practitioner, session.colleagues
    row.room, row.equipment = session.room, session.equipment
    row.overbooked_because = None


def held_until(session: GroupSession, row: Appointment) -> datetime | None:
    """Return until when a session is held once a visit has a seat: for good where the visit is booked."""
    if session.held_until is None or row.held_until is None:
        return None
    return max(session.held_until, row.held_until)
