"""Whether a visit was called off late by or for the patient, and whether its unit is used all the same.

- The payer says how many hours ahead is too late, and whether the unit of a session is then used; where it
  says nothing, no cancellation is late, and where it says nothing of units, none is used.
- What the clinic calls off is never late, and neither is the visit of who has died.
- What was decided stands among the reasons of the visit, so that whatever counts units reads the same.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from services.scheduling.models.rows import Appointment
from shared.clinic import Payer
from shared.fhir.codes import AppointmentKind, is_the_patients
from shared.reasons import Reason

_USES_A_UNIT = Reason.of("late-uses-a-unit")
_DECEASED = "pat-dec"


def reasons(row: Appointment, *, code: str, payer: Payer | None, now: datetime) -> list[Reason]:
    """Say that a cancellation for a reason of HL7 is late, and whether it uses a unit; empty where it is not.

    `row` has the time that it is about to give up.
    """
    if payer is None or payer.late_cancel_hours is None or row.starts_at is None:
        return []
    is_late = row.starts_at - now < timedelta(hours=payer.late_cancel_hours)
    if not is_late or not is_the_patients(code) or code == _DECEASED:
        return []
    late = Reason.of("cancelled-late", hours=payer.late_cancel_hours)
    is_used = payer.late_cancel_uses_unit and row.kind == AppointmentKind.SESSION
    return [late, _USES_A_UNIT] if is_used else [late]


def using_a_unit(rows: Iterable[Appointment]) -> list[Appointment]:
    """Return the sessions that were called off so late that their units are used."""
    return [row for row in rows if _USES_A_UNIT in row.reasons]
