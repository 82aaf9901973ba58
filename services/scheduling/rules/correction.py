"""Whether a status that was recorded by mistake can be corrected, and what follows from the correction.

- What was recorded can become what it should have been: `states.CORRECTIONS`; the rest are steps of the life
  cycle, which a PUT takes.
- After the end of a referral nothing is booked again, but what became of a visit can still be put right.
- A visit that stands again takes its own clinician, room and patient again, or nothing is corrected.
"""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from services.scheduling.models.rows import Appointment, Referral
from services.scheduling.models.spans import Span, Taken
from services.scheduling.rules import status_change
from services.scheduling.rules.candidates import Candidate
from services.scheduling.rules.intervals import merged, until_free
from services.scheduling.rules.needs import Need, device_key, patient_key, room_key
from services.scheduling.states import CORRECTIONS, HERE, LIVE_FIRST, LOST, AppointmentStatus, ReferralState
from shared.errors import Conflict
from shared.fhir.codes import FIRST_KINDS
from shared.reasons import Reason, Reference

_AFTER_THE_END = (AppointmentStatus.FULFILLED, AppointmentStatus.MISSED)


class CannotCorrect(Conflict):
    """What was recorded cannot be corrected to this; the text says what stands in the way."""


def why_nothing_to_correct(row: Appointment, *, referral: Referral) -> Reason | None:
    """Say why nothing that was recorded of an appointment can be corrected; None where something can."""
    status = AppointmentStatus(row.status)
    # What was only held was recorded by nobody.
    if status not in CORRECTIONS or row.held_until is not None:
        return Reason.of("nothing-recorded", state=status)
    if row.starts_at is None:
        return Reason.of("had-no-time")
    if not allowed(row, referral=referral):
        return Reason.of("referral-ended")
    return None


def allowed(row: Appointment, *, referral: Referral) -> list[AppointmentStatus]:
    """List what an appointment can be corrected to."""
    possible = CORRECTIONS.get(AppointmentStatus(row.status), ())
    ended = referral.state == ReferralState.ENDED
    return [status for status in possible if not ended or status in _AFTER_THE_END]


def why_not(
    row: Appointment, status: AppointmentStatus, *, referral: Referral, now: datetime, zone: ZoneInfo
) -> Reason | None:
    """Say why an appointment cannot be corrected to a status; None where it can, as far as it is known."""
    if (why := why_nothing_to_correct(row, referral=referral)) is not None:
        return why
    possible = allowed(row, referral=referral)
    if status not in possible:
        return Reason.of("no-correction", state=row.status, to=status, allowed=possible)
    return status_change.why_too_early(row, status, now=now, zone=zone) if _says_more(status) else None


def takes_its_time_again(row: Appointment, status: AppointmentStatus) -> bool:
    """Tell whether a correction needs the time that was given back."""
    return row.status in LOST and status not in LOST


def why_time_is_gone(row: Appointment, *, need: Need, taken: Taken, now: datetime) -> Reason | None:
    """Say what has taken the time of an appointment meanwhile; None where it is free.

    `taken` is what others have. Who has it is not said. Hours count only for what is still to come.
    """
    place = own_place(row, need=need)
    if place is None:
        return Reason.of("had-no-time")
    for key in place.resources:
        person_id = key.split("/")[1]
        if key.startswith("person/") and (until := _taken_until(taken, key, place.taken)) is not None:
            return Reason.of("person-busy", practitioner=Reference(f"Practitioner/{person_id}"), until=until)
    if row.room and (until := _taken_until(taken, room_key(row.room), place.taken)) is not None:
        return Reason.of("room-busy", room=Reference(f"Location/{row.room}"), until=until)
    for device in place.equipment:
        if (until := _taken_until(taken, device_key(device), place.taken)) is not None:
            return Reason.of("equipment-taken", device=device, until=until)
    if (until := _taken_until(taken, patient_key(row.patient_id), place.span)) is not None:
        return Reason.of("patient-busy", until=until)
    return _why_no_hours(place, need=need) if place.span.start > now else None


def own_place(row: Appointment, *, need: Need) -> Candidate | None:
    """Return what an appointment took at its own time; None where it never had one."""
    if row.starts_at is None or row.ends_at is None or row.practitioner is None:
        return None
    span = Span(row.starts_at, row.ends_at)
    return Candidate(
        person=row.practitioner,
        colleagues=tuple(row.colleagues),
        room=row.room,
        equipment=tuple(row.equipment),
        span=span,
        buffered=need.taken_by(span) if need.has_buffers else None,
        is_overbooked=row.overbooked_because is not None,
    )


def booked_instead(row: Appointment, *, firsts: Sequence[Appointment]) -> Appointment | None:
    """Find the first appointment that lives in the place of one that was lost."""
    others = (first for first in firsts if first.id != row.id and first.status in LIVE_FIRST)
    return next(others, None) if row.kind in FIRST_KINDS else None


def why_stays_lost(row: Appointment, *, firsts: Sequence[Appointment]) -> Reason | None:
    """Say why a first visit that was lost stays so: the patient came to the one that was booked instead."""
    other = booked_instead(row, firsts=firsts) if row.status in LOST else None
    came = other is not None and other.status in (*HERE, AppointmentStatus.FULFILLED)
    if other is None or other.starts_at is None or not came:
        return None
    return Reason.of("later-visit-took-place", when=other.starts_at)


def _says_more(status: AppointmentStatus) -> bool:
    return status != AppointmentStatus.BOOKED


def _taken_until(taken: Taken, resource: str, span: Span) -> datetime | None:
    return until_free(merged(taken.get(resource, ())), span)


def _why_no_hours(place: Candidate, *, need: Need) -> Reason | None:
    able = {person.id: person for group in (need.people, *need.colleagues) for person in group}
    for person_id in (place.person, *place.colleagues):
        person = able.get(person_id)
        if person is None or need.works(person, window=place.taken) != [place.taken]:
            who = Reference(f"Practitioner/{person_id}")
            return Reason.of("no-hours", practitioner=who, purpose=need.purpose)
    return None
