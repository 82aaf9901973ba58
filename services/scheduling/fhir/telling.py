"""The Task that asks a coordinator to telephone a patient about a visit."""

from collections.abc import Mapping
from typing import Any

from services.scheduling import texts
from services.scheduling.models.rows import TellingTask
from services.scheduling.states import VisitTaskStatus
from shared.context import Context
from shared.errors import Invalid
from shared.fhir.codes import TASK_CODE_SYSTEM, TaskCode
from shared.fhir.elements import coded, directory_reference, reference, referral_reference
from shared.fhir.instants import to_the_second
from shared.fhir.reasons import concept
from shared.reasons import Reason


def render(ctx: Context, row: TellingTask) -> dict[str, Any]:
    """Write the row as a Task about the visit; the reason says the day, or how it ended."""
    zone = ctx.clinic.site(row.site).zone
    resource: dict[str, Any] = {
        "resourceType": "Task",
        "id": str(row.id),
        "status": row.status,
        "intent": "order",
        "code": coded(TASK_CODE_SYSTEM, TaskCode.TELL_PATIENT),
        "description": _description(row),
        "focus": reference("Appointment", row.appointment_id),
        "basedOn": [referral_reference(ctx, "ServiceRequest", row.referral_id)],
        "for": referral_reference(ctx, "Patient", row.patient_id),
        "authoredOn": to_the_second(row.opened_at),
        "lastModified": to_the_second(ctx.at),
        "requester": directory_reference(ctx.clinic, f"Organization/{ctx.clinic.id}"),
        "owner": directory_reference(ctx.clinic, f"Organization/{ctx.clinic.id}"),
        "restriction": {"period": {"end": to_the_second(row.due_at)}},
        "statusReason": concept(
            reasons(ctx, row), texts.REASONS, zone=zone, words=texts.words_of(ctx.clinic)
        ),
    }
    if row.words is not None:
        resource["note"] = [{"text": row.words}]
    return resource


def _description(row: TellingTask) -> str:
    return (
        "Telephone the patient about a visit"
        if row.because
        else "Tell the patient the day of the first visit"
    )


def reasons(ctx: Context, row: TellingTask) -> list[Reason]:
    """Say why the patient is to be telephoned, or how the Task ended."""
    day = row.starts_at.astimezone(ctx.clinic.site(row.site).zone).date()
    return row.ended_because or row.because or [Reason.of("patient-to-tell", day=day)]


def completion(row: TellingTask, sent: Mapping[str, Any]) -> bool:
    """Read whether the patient was told; False where nothing shall change. Raises Invalid."""
    if sent.get("id") != str(row.id):
        raise Invalid("the id in the body and in the address differ", expression="Task.id")
    if sent.get("status") == row.status:
        return False
    if sent.get("status") != VisitTaskStatus.COMPLETED:
        raise Invalid("this Task can be completed", expression="Task.status")
    return True
