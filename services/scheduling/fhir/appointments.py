"""An appointment as a FHIR Appointment; FHIR R4 writes `cancelationReason` with one l."""

from typing import Any

from services.scheduling import texts
from services.scheduling.models.rows import Appointment
from services.scheduling.states import AppointmentStatus
from shared.context import Context
from shared.fhir.codes import APPOINTMENT_KIND_SYSTEM, PROGRAMME_SYSTEM
from shared.fhir.elements import coded, directory_reference, reference, referral_reference
from shared.fhir.instants import to_the_second
from shared.fhir.reasons import added

CANCELLATION_SYSTEM = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"


def render(ctx: Context, row: Appointment) -> dict[str, Any]:
    """Write the row as an Appointment, the patient first among the participants."""
    resource: dict[str, Any] = {
        "resourceType": "Appointment",
        "id": str(row.id),
        "status": row.status,
        "serviceType": [coded(PROGRAMME_SYSTEM, row.programme)],
        "appointmentType": coded(APPOINTMENT_KIND_SYSTEM, row.kind),
        "minutesDuration": row.minutes,
        "basedOn": [referral_reference(ctx, "ServiceRequest", row.referral_id)],
        "participant": _participants(ctx, row),
    }
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


def _participants(ctx: Context, row: Appointment) -> list[dict[str, Any]]:
    actors = [referral_reference(ctx, "Patient", row.patient_id)]
    named = ("Practitioner", row.practitioner), ("Location", row.room)
    actors += [directory_reference(ctx.clinic, f"{kind}/{id}") for kind, id in named if id]
    return [{"actor": actor, "status": "accepted"} for actor in actors]
