"""The guarantee as a FHIR Task with both clocks, and as a row of `GET /scheduling/guarantee`."""

from typing import Any

from services.scheduling import texts
from services.scheduling.models.rows import Guarantee, GuaranteeOverview, Referral
from shared.context import Context
from shared.fhir.codes import (
    BUSINESS_STATUS_SYSTEM,
    PROGRAMME_SYSTEM,
    TASK_CODE_SYSTEM,
    TASK_INPUT_SYSTEM,
    GuaranteeStatus,
    TaskCode,
    TaskInput,
)
from shared.fhir.elements import coded, directory_reference, referral_reference
from shared.fhir.instants import to_the_second
from shared.fhir.reasons import concept

_TASK_STATUS = {GuaranteeStatus.MET: "completed", GuaranteeStatus.ENDED: "cancelled"}


def render(ctx: Context, row: Guarantee, *, referral: Referral) -> dict[str, Any]:
    """Write the guarantee as a Task: due at the end of its period, the clocks as outputs."""
    request = referral_reference(ctx, "ServiceRequest", referral.id)
    return {
        "resourceType": "Task",
        "id": str(row.id),
        "basedOn": [request],
        "status": _TASK_STATUS.get(GuaranteeStatus(row.status), "in-progress"),
        "businessStatus": coded(BUSINESS_STATUS_SYSTEM, row.status),
        "intent": "order",
        "code": coded(TASK_CODE_SYSTEM, TaskCode.GUARANTEE),
        "focus": request,
        "for": referral_reference(ctx, "Patient", row.patient_id),
        "authoredOn": to_the_second(referral.accepted_at),
        "requester": directory_reference(ctx.clinic, f"Organization/{referral.requester}"),
        "owner": directory_reference(ctx.clinic, f"Organization/{ctx.clinic.id}"),
        "restriction": {
            "period": {"start": to_the_second(referral.sent_at), "end": to_the_second(referral.due_at)}
        },
        "input": _inputs(referral),
    } | _more(row, referral)


def _more(row: Guarantee, referral: Referral) -> dict[str, Any]:
    """Write why the referral ended, where it has, and the clocks, where they have stopped somewhere."""
    more: dict[str, Any] = {}
    if referral.ended_because:
        more["statusReason"] = concept(referral.ended_because, texts.REASONS)
    if row.raw_days is not None:
        more["output"] = _outputs(row)
    return more


def describe(row: GuaranteeOverview) -> dict[str, Any]:
    """Write the guarantee as one row of the coordinator's overview."""
    return {
        "referral": str(row.referral_id),
        "patient": row.patient_id,
        "programme": row.programme,
        "site": row.site,
        "sent_at": to_the_second(row.sent_at),
        "complete_at": to_the_second(row.complete_at),
        "due_on": row.due_on.isoformat(),
        "status": row.status,
        "raw_days": row.raw_days,
        "adjusted_days": row.adjusted_days,
        "first_appointment": None if row.first_id is None else _first(row),
    }


def _first(row: GuaranteeOverview) -> dict[str, Any]:
    start = None if row.first_starts_at is None else to_the_second(row.first_starts_at)
    return {"id": str(row.first_id), "start": start, "status": row.first_status}


def _inputs(referral: Referral) -> list[dict[str, Any]]:
    return [
        _typed(TaskInput.SENT_AT, valueDateTime=to_the_second(referral.sent_at)),
        _typed(TaskInput.COMPLETE_AT, valueDateTime=to_the_second(referral.complete_at)),
        _typed(TaskInput.DUE_ON, valueDate=referral.due_on.isoformat()),
        _typed(TaskInput.PROGRAMME, valueCoding={"system": PROGRAMME_SYSTEM, "code": referral.programme}),
        _typed(TaskInput.SITE, valueString=referral.site),
    ]


def _outputs(row: Guarantee) -> list[dict[str, Any]]:
    return [
        _typed("raw-days", valueInteger=row.raw_days),
        _typed("adjusted-days", valueInteger=row.adjusted_days),
    ]


def _typed(code: str, **value: object) -> dict[str, Any]:
    return {"type": coded(TASK_INPUT_SYSTEM, code), **value}
