"""The Tasks that ask to record a visit, and to call a patient who missed two visits in a row."""

from collections.abc import Mapping
from typing import Any

import msgspec

from services.scheduling import texts
from services.scheduling.models.rows import VisitTask
from services.scheduling.states import VisitTaskStatus
from shared.context import Context
from shared.errors import Invalid, Problem
from shared.fhir.codes import TASK_CODE_SYSTEM, TaskCode
from shared.fhir.elements import coded, directory_reference, reference, referral_reference
from shared.fhir.instants import to_the_second
from shared.fhir.reasons import concept
from shared.reasons import Reason

_DESCRIPTIONS = {
    TaskCode.RECORD_VISIT: "Record what became of the visit",
    TaskCode.RECALL: "Telephone the patient, who missed two visits in a row",
}


def render(ctx: Context, row: VisitTask) -> dict[str, Any]:
    """Write the row as a Task about the visit; the reason says why it was opened, or how it ended."""
    zone = ctx.clinic.site(row.site).zone
    clinic = f"Organization/{ctx.clinic.id}"
    owner = clinic if row.owner is None else f"Practitioner/{row.owner}"
    return {
        "resourceType": "Task",
        "id": str(row.id),
        "status": row.status,
        "intent": "order",
        "code": coded(TASK_CODE_SYSTEM, row.code),
        "description": _DESCRIPTIONS[TaskCode(row.code)],
        "focus": reference("Appointment", row.appointment_id),
        "basedOn": [referral_reference(ctx, "ServiceRequest", row.referral_id)],
        "for": referral_reference(ctx, "Patient", row.patient_id),
        "authoredOn": to_the_second(row.opened_at),
        "lastModified": to_the_second(ctx.at),
        "requester": directory_reference(ctx.clinic, clinic),
        "owner": directory_reference(ctx.clinic, owner),
        "restriction": {"period": {"end": to_the_second(row.due_at)}},
        "statusReason": concept(reasons(row), texts.REASONS, zone=zone, words=texts.words_of(ctx.clinic)),
    }


def reasons(row: VisitTask) -> list[Reason]:
    """Say what is asked, or how the Task ended."""
    if row.ended_because:
        return row.ended_because
    if row.code == TaskCode.RECALL:
        return [Reason.of("missed-twice", when=row.starts_at)]
    return [Reason.of("visit-unrecorded", when=row.starts_at)]


def completion(row: VisitTask, sent: Mapping[str, Any]) -> str | None:
    """Read what came of a call; None where nothing shall change. Raises Invalid."""
    if sent.get("id") != str(row.id):
        raise Invalid("the id in the body and in the address differ", expression="Task.id")
    stored = msgspec.json.decode(row.body).get("statusReason", {})
    words = str(sent.get("statusReason", {}).get("text") or "").strip()
    if sent.get("status") == row.status and words == stored.get("text"):
        return None
    if sent.get("status") != VisitTaskStatus.COMPLETED:
        raise Invalid("this Task can be completed", expression="Task.status")
    if not words or words == stored.get("text"):
        text = "completing this Task says what came of the call, in words"
        raise Invalid(problems=[Problem(text=text, code="required", expression="Task.statusReason.text")])
    return words
