"""What Tasks about visits have in common: how they are written, and how a person completes one."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from services.scheduling import texts
from services.scheduling.models.offers import TimeOffer
from services.scheduling.models.rows import ReplanTask, TellingTask, VisitTask
from shared.context import Context
from shared.errors import Invalid, Problem
from shared.fhir.codes import TASK_CODE_SYSTEM
from shared.fhir.elements import coded, directory_reference, reference, referral_reference
from shared.fhir.instants import to_the_second
from shared.fhir.reasons import concept
from shared.reasons import Reason

_COMPLETED = "completed"


def about_visit(
    ctx: Context,
    row: TellingTask | VisitTask | TimeOffer,
    *,
    code: str,
    description: str,
    reasons: Sequence[Reason],
    intent: str = "order",
    owner: str | None = None,
) -> dict[str, Any]:
    """Write the row as a Task about its visit; the reasons say why it was opened, or how it ended.

    `owner` is the clinician who is asked, None where it is the clinic.
    """
    zone, clinic = ctx.clinic.site(row.site).zone, f"Organization/{ctx.clinic.id}"
    whose = clinic if owner is None else f"Practitioner/{owner}"
    return {
        "resourceType": "Task",
        "id": str(row.id),
        "status": row.status,
        "intent": intent,
        "code": coded(TASK_CODE_SYSTEM, code),
        "description": description,
        "focus": reference("Appointment", row.appointment_id),
        "basedOn": [referral_reference(ctx, "ServiceRequest", row.referral_id)],
        "for": referral_reference(ctx, "Patient", row.patient_id),
        "authoredOn": to_the_second(row.opened_at),
        "lastModified": to_the_second(ctx.at),
        "requester": directory_reference(ctx.clinic, clinic),
        "owner": directory_reference(ctx.clinic, whose),
        "restriction": {"period": {"end": to_the_second(row.due_at)}},
        "statusReason": concept(reasons, texts.REASONS, zone=zone, words=texts.words_of(ctx.clinic)),
    }


def completion(row: TellingTask, sent: Mapping[str, Any]) -> bool:
    """Read whether a Task that asks no words is completed; False where nothing changes. Raises Invalid."""
    _expect_id(row, sent)
    if sent.get("status") == row.status:
        return False
    _expect_completed(sent)
    return True


def completion_with_words(row: VisitTask | ReplanTask, sent: Mapping[str, Any], *, ask: str) -> str | None:
    """Read the words with which a Task is completed; None where nothing changes. Raises Invalid.

    `ask` is what who sends none is told.
    """
    _expect_id(row, sent)
    stored = msgspec.json.decode(row.body).get("statusReason", {})
    words = str(sent.get("statusReason", {}).get("text") or "").strip()
    if sent.get("status") == row.status and words == stored.get("text"):
        return None
    _expect_completed(sent)
    if not words or words == stored.get("text"):
        raise Invalid(problems=[Problem(text=ask, code="required", expression="Task.statusReason.text")])
    return words


def _expect_id(row: TellingTask | VisitTask | ReplanTask, sent: Mapping[str, Any]) -> None:
    if sent.get("id") != str(row.id):
        raise Invalid("the id in the body and in the address differ", expression="Task.id")


def _expect_completed(sent: Mapping[str, Any]) -> None:
    if sent.get("status") != _COMPLETED:
        raise Invalid("this Task can be completed", expression="Task.status")
