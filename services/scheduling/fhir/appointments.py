"""An appointment as a FHIR Appointment; FHIR R4 writes `cancelationReason` with one l."""

from collections.abc import Iterable
from typing import Any

from services.scheduling import texts
from services.scheduling.models.rows import Appointment
from services.scheduling.states import AppointmentStatus
from shared.clinic import Clinic
from shared.context import Context
from shared.fhir.codes import (
    APPOINTMENT_KIND_SYSTEM,
    CANCELLATION_SYSTEM,
    CONFIRMED_EXTENSION,
    DISCIPLINE_SYSTEM,
    HELD_UNTIL_EXTENSION,
    OVERBOOKED_EXTENSION,
    PROGRAMME_SYSTEM,
    VISIT_TYPE_SYSTEM,
)
from shared.fhir.elements import coded, directory_reference, reference, referral_reference
from shared.fhir.instants import to_the_second
from shared.fhir.reasons import added


def render(ctx: Context, row: Appointment) -> dict[str, Any]:
    """Write the row as an Appointment, the patient first among the participants."""
    resource: dict[str, Any] = {
        "resourceType": "Appointment",
        "id": str(row.id),
        "status": row.status,
        "serviceType": service_types(ctx.clinic, row.programme, row.visit_type),
        "appointmentType": coded(APPOINTMENT_KIND_SYSTEM, row.kind),
        "minutesDuration": row.minutes,
        "basedOn": [referral_reference(ctx, "ServiceRequest", row.referral_id)],
        "participant": _participants(ctx, row),
    }
    if row.discipline is not None:
        resource["specialty"] = [coded(DISCIPLINE_SYSTEM, row.discipline)]
    if extensions := _extensions(row):
        resource["extension"] = extensions
    if row.series_id is not None:
        resource["supportingInformation"] = [reference("List", row.series_id)]
    if row.starts_at is not None and row.ends_at is not None:
        resource |= {"start": to_the_second(row.starts_at), "end": to_the_second(row.ends_at)}
    if row.reason_code is not None and row.status == AppointmentStatus.CANCELLED:
        coding = {"system": CANCELLATION_SYSTEM, "code": row.reason_code}
        if row.reason_code in texts.CANCELLATIONS:
            coding["display"] = texts.CANCELLATIONS[row.reason_code]
        stated = {"coding": [coding, *row.other_codings]}
        resource["cancelationReason"] = added(stated, row.reasons, texts.REASONS)
    return resource


def _extensions(row: Appointment) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if row.status == AppointmentStatus.PENDING and row.held_until is not None:
        found.append({"url": HELD_UNTIL_EXTENSION, "valueInstant": to_the_second(row.held_until)})
    if row.confirmed_start is not None and row.confirmed_start == row.starts_at:
        found.append({"url": CONFIRMED_EXTENSION, "valueBoolean": True})
    if row.overbooked_because is not None:
        found.append({"url": OVERBOOKED_EXTENSION, "valueString": row.overbooked_because})
    return found


def service_types(clinic: Clinic, programme_id: str, visit_type: str | None) -> list[dict[str, Any]]:
    """Write of which programme a visit is, and which of its visits where that has a name."""
    of_programme = coded(PROGRAMME_SYSTEM, programme_id)
    if visit_type is None:
        return [of_programme]
    visits = (visit for one in clinic.programmes if one.id == programme_id for visit in one.visits)
    name = next((visit.name for visit in visits if visit.id == visit_type), None)
    return [of_programme, coded(VISIT_TYPE_SYSTEM, visit_type, text=name)]


def actors_of(
    clinic: Clinic, *, people: Iterable[str], room: str | None, equipment: Iterable[str]
) -> list[dict[str, Any]]:
    """Write who and what takes part beside the patient: clinicians, the leading one first, room, devices."""
    named = [f"Practitioner/{person}" for person in people]
    named += [] if room is None else [f"Location/{room}"]
    devices = [{"type": "Device", "display": clinic.name_of("Device", one) or one} for one in equipment]
    return [*(directory_reference(clinic, reference) for reference in named), *devices]


def _participants(ctx: Context, row: Appointment) -> list[dict[str, Any]]:
    people = () if row.practitioner is None else (row.practitioner, *row.colleagues)
    actors = [
        referral_reference(ctx, "Patient", row.patient_id),
        *actors_of(ctx.clinic, people=people, room=row.room, equipment=row.equipment),
    ]
    # What is held only has been asked of nobody.
    status = "tentative" if row.status == AppointmentStatus.PENDING else "accepted"
    return [{"actor": actor, "status": status} for actor in actors]
