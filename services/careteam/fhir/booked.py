"""What careteam reads from scheduling's Appointments."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.careteam.fhir.elements import codes
from shared.fhir.codes import APPOINTMENT_KIND_SYSTEM, PROGRAMME_SYSTEM, AppointmentKind
from shared.fhir.references import local_id, reference_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A visit of a patient: for which referral and programme, and by whom."""

    referral_id: str
    patient_id: str
    programme: str
    practitioner: str
    first: bool


def visit(appointment: Mapping[str, Any]) -> Visit:
    """Read an Appointment; raises KeyError, IndexError or StopIteration for one that is not as the catalog
    says.
    """
    actors = [one["actor"] for one in appointment["participant"] if "actor" in one]
    return Visit(
        referral_id=_first(appointment["basedOn"], "ServiceRequest"),
        patient_id=_first(actors, "Patient"),
        programme=codes(appointment["serviceType"][0], system=PROGRAMME_SYSTEM)[0],
        practitioner=_first(actors, "Practitioner"),
        first=AppointmentKind.FIRST in codes(appointment["appointmentType"], system=APPOINTMENT_KIND_SYSTEM),
    )


def _first(references: list[Mapping[str, Any]], resource_type: str) -> str:
    return next(local_id(one) for one in references if reference_type(one) == resource_type)
