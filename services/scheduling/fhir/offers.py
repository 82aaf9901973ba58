"""The offer of a freed time to a patient, as a Task: yes is `completed`, no is `rejected`."""

from typing import Any

from services.scheduling import texts
from services.scheduling.models.offers import TimeOffer
from shared.context import Context
from shared.fhir.codes import TASK_CODE_SYSTEM, TASK_INPUT_SYSTEM, TaskCode, TaskInput
from shared.fhir.elements import coded, directory_reference, reference, referral_reference
from shared.fhir.instants import to_the_second
from shared.fhir.reasons import concept
from shared.reasons import Reason, Reference


def render(ctx: Context, row: TimeOffer) -> dict[str, Any]:
    """Write the row as a Task about the visit that the patient has, with the time that is offered."""
    zone, clinic = ctx.clinic.site(row.site).zone, f"Organization/{ctx.clinic.id}"
    offered = {"start": to_the_second(row.starts_at), "end": to_the_second(row.ends_at)}
    return {
        "resourceType": "Task",
        "id": str(row.id),
        "status": row.status,
        "intent": "proposal",
        "code": coded(TASK_CODE_SYSTEM, TaskCode.OFFER_TIME),
        "description": "Take an earlier time that has become free",
        "focus": reference("Appointment", row.appointment_id),
        "basedOn": [referral_reference(ctx, "ServiceRequest", row.referral_id)],
        "for": referral_reference(ctx, "Patient", row.patient_id),
        "authoredOn": to_the_second(row.opened_at),
        "lastModified": to_the_second(ctx.at),
        "requester": directory_reference(ctx.clinic, clinic),
        "owner": directory_reference(ctx.clinic, clinic),
        "restriction": {"period": {"end": to_the_second(row.due_at)}},
        "input": [
            {"type": coded(TASK_INPUT_SYSTEM, TaskInput.OFFERED), "valuePeriod": offered},
            {
                "type": coded(TASK_INPUT_SYSTEM, TaskInput.OFFERED_WITH),
                "valueReference": directory_reference(ctx.clinic, f"Practitioner/{row.practitioner}"),
            },
        ],
        "statusReason": concept(reasons(row), texts.REASONS, zone=zone, words=texts.words_of(ctx.clinic)),
    }


def reasons(row: TimeOffer) -> list[Reason]:
    """Say what is offered instead of what, or how the offer ended."""
    who = Reference(f"Practitioner/{row.practitioner}")
    made = Reason.of(
        "time-offered", when=row.starts_at, practitioner=who, instead=row.had_start, until=row.due_at
    )
    return row.ended_because or [made]
