"""A time that a person chose: whether it can be had, and if not, what blocks it and until when."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from services.scheduling import texts
from services.scheduling.models.rows import Appointment, Referral
from services.scheduling.models.spans import Span, Taken
from services.scheduling.rules import series_state
from services.scheduling.rules.candidates import Candidate, load_of
from services.scheduling.rules.entitlement import Entitlement, NoEntitlement, outside_dates
from services.scheduling.rules.intervals import is_free, merged, until_free
from services.scheduling.rules.needs import Need, device_key, patient_key, person_key, room_key, second_key
from services.scheduling.rules.series import week_of
from services.scheduling.states import UNTIMED, AppointmentStatus, ReferralState
from shared.clinic import Person
from shared.errors import Conflict
from shared.reasons import Reason, Reference


class CannotMove(Conflict):
    """The wanted time cannot be had; the text says which resource or bound stands in the way."""


def cannot_move(why: Reason) -> CannotMove:
    """Refuse a new start."""
    return CannotMove.because(why, texts.REASONS, expression="Appointment.start")


def why_no_new_time(row: Appointment, *, referral: Referral) -> Reason | None:
    """Say why an appointment gets no new time, whichever; None where it may get one."""
    if row.status not in (*UNTIMED, AppointmentStatus.BOOKED):
        return Reason.of("no-new-time", status=row.status)
    return Reason.of("referral-ended") if referral.state == ReferralState.ENDED else None


def check(row: Appointment, start: datetime, *, referral: Referral, now: datetime) -> None:
    """Raise CannotMove where an appointment gets no new time now."""
    if (why := why_no_new_time(row, referral=referral)) is not None:
        raise cannot_move(why)
    if start <= now:
        raise cannot_move(Reason.of("in-the-past"))


def check_session(
    start: datetime,
    *,
    first: Appointment | None,
    others: Iterable[Appointment],
    entitled: Entitlement | NoEntitlement,
    discipline: str,
    per_week: int | None,
    zone: ZoneInfo,
) -> None:
    """Hold a session's new start against the first appointment, the grant and the programme's pace.

    `others` are the other sessions of the series that its discipline gives. Raises CannotMove.
    """
    day = start.astimezone(zone).date()
    if first is not None and first.ends_at is not None and start < first.ends_at:
        raise cannot_move(Reason.of("before-the-first"))
    if isinstance(entitled, NoEntitlement):
        raise cannot_move(entitled.why)
    if (why := outside_dates(day, bounds=entitled.of(discipline))) is not None:
        raise cannot_move(why)
    weeks = series_state.weeks_of(series_state.counting(others), zone=zone)
    if per_week is not None and weeks[week_of(day)] >= per_week:
        raise cannot_move(Reason.of("week-is-full", per_week=per_week))


def place_at(span: Span, row: Appointment, *, need: Need, taken: Taken) -> Candidate:
    """Find everything that a visit takes at a chosen time; raises CannotMove with the first thing in the way.

    One that is overbooked takes the second lane of the clinician who leads it, unless the first is free;
    nobody and nothing else has two. A booked visit keeps its clinicians, unless who leads it is not there any
    more at the time that it has, and its room and equipment where they are free; whoever waits gets the least
    loaded clinician. The patient's unavailable times do not block: whoever moves a visit has asked them.
    """
    busy_until = until_free(merged(taken.get(patient_key(row.patient_id), ())), span)
    if busy_until is not None:
        raise cannot_move(Reason.of("patient-busy", until=busy_until))
    whole = need.taken_by(span)
    leads, is_overbooked = _leads(row, need=need, taken=taken), False
    if row.overbooked_because is not None:
        is_overbooked = not any(is_free(merged(taken.get(person_key(one.id), ())), whole) for one in leads)
    lane = second_key if is_overbooked else person_key
    people = [_person(whole, need=need, people=leads, taken=taken, lane=lane)]
    for group in need.colleagues:
        able = sorted(
            (person for person in group if person.id not in people),
            key=lambda person: (person.id not in row.colleagues, load_of(person, taken=taken), person.id),
        )
        people.append(_person(whole, need=need, people=able, taken=taken))
    rooms = sorted((room.id for room in need.rooms), key=lambda room: room != row.room)
    room = _room(whole, rooms=rooms, taken=taken) if need.has_room else None
    return Candidate(
        person=people[0],
        colleagues=tuple(people[1:]),
        room=room,
        equipment=tuple(_device(whole, group, row=row, taken=taken) for group in need.equipment),
        span=span,
        buffered=whole if need.has_buffers else None,
        is_overbooked=is_overbooked,
    )


def _leads(row: Appointment, *, need: Need, taken: Taken) -> Sequence[Person]:
    if row.practitioner is not None and not _has_lost_its_clinician(row, need=need):
        return [person for person in need.people if person.id == row.practitioner]
    return sorted(need.people, key=lambda person: (load_of(person, taken=taken), person.id))


def _has_lost_its_clinician(row: Appointment, *, need: Need) -> bool:
    """Tell whether the clinician of a booked visit is not there any more at the time that it has."""
    if row.starts_at is None or row.ends_at is None:
        return False
    own = next((person for person in need.people if person.id == row.practitioner), None)
    span = Span(row.starts_at, row.ends_at)
    return own is None or need.works(own, window=span) != [span]


def _person(
    span: Span,
    *,
    need: Need,
    people: Sequence[Person],
    taken: Taken,
    lane: Callable[[str], str] = person_key,
) -> str:
    why = Reason.of("nobody-gives", discipline=need.discipline)
    for person in people:
        reference = Reference(f"Practitioner/{person.id}")
        busy_until = until_free(merged(taken.get(lane(person.id), ())), span)
        if need.works(person, window=span) != [span]:
            why = Reason.of("no-hours", practitioner=reference, purpose=need.purpose)
        elif need.offers(person, window=span) != [span]:
            why = Reason.of("not-offered", practitioner=reference)
        elif busy_until is not None:
            why = Reason.of("person-busy", practitioner=reference, until=busy_until)
        else:
            return person.id
    raise cannot_move(why)


def _room(span: Span, *, rooms: Sequence[str], taken: Taken) -> str:
    free, until, taken_id = _first_free(span, rooms, key=room_key, taken=taken)
    if free is not None:
        return free
    if until is None:
        raise cannot_move(Reason.of("no-such-room"))
    raise cannot_move(Reason.of("rooms-taken", room=Reference(f"Location/{taken_id}"), until=until))


def _device(span: Span, group: Sequence[str], *, row: Appointment, taken: Taken) -> str:
    devices = sorted(group, key=lambda device: device not in row.equipment)
    free, until, taken_id = _first_free(span, devices, key=device_key, taken=taken)
    if free is not None:
        return free
    if until is None:
        raise cannot_move(Reason.of("no-such-equipment"))
    raise cannot_move(Reason.of("equipment-taken", device=taken_id, until=until))


def _first_free(
    span: Span, ids: Sequence[str], *, key: Callable[[str], str], taken: Taken
) -> tuple[str | None, datetime | None, str]:
    """Find the first that is free; else until when the one is taken that is free again first, and which."""
    ends: list[tuple[datetime, str]] = []
    for one in ids:
        busy_until = until_free(merged(taken.get(key(one), ())), span)
        if busy_until is None:
            return one, None, one
        ends.append((busy_until, one))
    return (None, *min(ends)) if ends else (None, None, "")
