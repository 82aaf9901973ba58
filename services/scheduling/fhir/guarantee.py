"""The promise as a FHIR Task with both clocks, and as a row of `GET /scheduling/guarantee`."""

from typing import Any

from services.scheduling.fhir.elements import coded, instant, of_referral
from services.scheduling.models import Appointment, Guarantee, Referral
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

_TASK_STATUS = {GuaranteeStatus.MET: "completed", GuaranteeStatus.ENDED: "cancelled"}


def render_guarantee(ctx: Context, row: Guarantee, *, referral: Referral) -> dict[str, Any]:
    """Write the promise as a Task: due at the end of its period, the clocks as outputs."""
    request = of_referral(ctx, "ServiceRequest", referral.id)
    return {
        "resourceType": "Task",
        "id": str(row.id),
        "basedOn": [request],
        "status": _TASK_STATUS.get(GuaranteeStatus(row.status), "in-progress"),
        "businessStatus": coded(BUSINESS_STATUS_SYSTEM, row.status),
        "intent": "order",
        "code": coded(TASK_CODE_SYSTEM, TaskCode.GUARANTEE),
        "focus": request,
        "for": of_referral(ctx, "Patient", row.patient_id),
        "authoredOn": instant(referral.accepted_at),
        "requester": {"reference": f"Organization/{referral.requester}"},
        "owner": {"reference": f"Organization/{ctx.clinic.id}"},
        "restriction": {"period": {"start": instant(referral.sent_at), "end": instant(referral.due_at)}},
        "input": _inputs(referral),
    } | ({"output": _outputs(row)} if row.raw_days is not None else {})


def describe_guarantee(row: Guarantee, *, referral: Referral, first: Appointment | None) -> dict[str, Any]:
    """Write the promise as one row of the coordinator's overview."""
    return {
        "referral": str(referral.id),
        "patient": row.patient_id,
        "programme": referral.programme,
        "site": row.site,
        "sent_at": instant(referral.sent_at),
        "complete_at": instant(referral.complete_at),
        "due_on": referral.due_on.isoformat(),
        "status": row.status,
        "raw_days": row.raw_days,
        "adjusted_days": row.adjusted_days,
        "first_appointment": None if first is None else _first(first),
    }


def _first(row: Appointment) -> dict[str, Any]:
    start = None if row.starts_at is None else instant(row.starts_at)
    return {"id": str(row.id), "start": start, "status": row.status}


def _inputs(referral: Referral) -> list[dict[str, Any]]:
    return [
        _typed(TaskInput.SENT_AT, valueDateTime=instant(referral.sent_at)),
        _typed(TaskInput.COMPLETE_AT, valueDateTime=instant(referral.complete_at)),
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
