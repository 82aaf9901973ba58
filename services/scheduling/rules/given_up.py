"""What is given up by a cancellation or a move, so that it is not booked again by itself.

- The patient calls off, or the weather keeps everybody at home: this time, with whomever.
- The room cannot be used: this room at this time. Whatever else the clinic says: this clinician at this time.
- A time that a visit was moved away from: whoever moves a visit has asked the patient, so as if called off.

A person may choose such a time all the same, which takes it back.
"""

from collections.abc import Iterable, Mapping, Sequence

from services.scheduling.models.rows import Appointment, GivenUpTime
from services.scheduling.models.spans import Span
from services.scheduling.rules.needs import patient_key, person_key, room_key
from shared.fhir.codes import is_the_patients

_OF_THE_TIME = ("oth-weath",)
_OF_THE_ROOM = ("maint", "oth-room")


def by_cancelling(row: Appointment, *, code: str) -> list[GivenUpTime]:
    """Return what is given up where an appointment is cancelled for a reason of HL7."""
    if is_the_patients(code) or code in _OF_THE_TIME:
        return _at_its_time(row, patient_key(row.patient_id))
    if code in _OF_THE_ROOM:
        return _at_its_time(row, row.room and room_key(row.room))
    return _at_its_time(row, row.practitioner and person_key(row.practitioner))


def by_moving(row: Appointment) -> list[GivenUpTime]:
    """Return what is given up where an appointment leaves the time that it has."""
    return _at_its_time(row, patient_key(row.patient_id))


def never_for(
    patient_id: str, *, away: Iterable[Span], has: Iterable[Span], given_up: Mapping[str, Sequence[Span]]
) -> list[Span]:
    """Return when a patient cannot be booked: away, with something else, or at a time that was given up."""
    return [*away, *has, *given_up.get(patient_key(patient_id), ())]


def _at_its_time(row: Appointment, resource: str | None) -> list[GivenUpTime]:
    if resource is None or row.starts_at is None or row.ends_at is None:
        return []
    span = {"starts_at": row.starts_at, "ends_at": row.ends_at}
    return [GivenUpTime(patient_id=row.patient_id, resource=resource, **span)]
