"""The guarantee as a FHIR Task with both clocks, and as a row of `GET /scheduling/guarantee`."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from services.scheduling import texts
from services.scheduling.models.guarantees import GuaranteeOverview, Remedy
from services.scheduling.models.rows import Appointment, Guarantee, Referral
from shared.clinic import Site
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
from shared.fhir.people import listed
from shared.fhir.reasons import concept
from shared.reasons import Reason

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
        "priority": referral.priority,
        "code": coded(TASK_CODE_SYSTEM, TaskCode.GUARANTEE),
        "focus": request,
        "for": referral_reference(ctx, "Patient", row.patient_id),
        "authoredOn": to_the_second(referral.accepted_at),
        "requester": directory_reference(ctx.clinic, f"Organization/{referral.requester}"),
        "owner": directory_reference(ctx.clinic, f"Organization/{ctx.clinic.id}"),
        "restriction": {
            "period": {"start": to_the_second(referral.sent_at), "end": to_the_second(referral.due_at)}
        },
        "input": [*_inputs(referral), _second_due_on(row, site=ctx.clinic.site(referral.site))],
    } | _more(row, referral)


def _more(row: Guarantee, referral: Referral) -> dict[str, Any]:
    """Write why the referral ended, where it has, and the clocks, where they have stopped somewhere."""
    more: dict[str, Any] = {}
    if referral.ended_because:
        more["statusReason"] = concept(referral.ended_because, texts.REASONS)
    if row.raw_days is not None:
        more["output"] = _outputs(row)
    return more


def describe(
    ctx: Context,
    row: GuaranteeOverview,
    *,
    days: tuple[int | None, int],
    reason: Sequence[Reason],
    remedies: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """Write the guarantee as one row of the coordinator's overview; `days` are those waited and left."""
    guarantee, referral, site = row.guarantee, row.referral, ctx.clinic.site(row.site)
    waited, left = days
    return {
        "id": str(guarantee.id),
        "referral": str(referral.id),
        "patient": listed(row.patient_id, row.person),
        "programme": referral.programme,
        "site": site.id,
        "sent_at": to_the_second(referral.sent_at),
        "complete_at": to_the_second(referral.complete_at),
        "priority": referral.priority,
        "due_on": referral.due_on.isoformat(),
        "second_due_at": to_the_second(guarantee.second_due_at),
        "status": guarantee.status,
        "raw_days": guarantee.raw_days,
        "adjusted_days": guarantee.adjusted_days,
        "waited_days": waited,
        "days_left": left,
        "reason": _stated(ctx, reason, site=site) or None,
        "remedies": list(remedies),
        "first_appointment": None if row.first is None else _first(row.first),
    }


def describe_remedy(ctx: Context, remedy: Remedy, *, reason: Reason) -> dict[str, Any]:
    """Write what would help, and the call by which it is done."""
    return {
        "action": remedy.action,
        "text": _stated(ctx, [reason], site=ctx.clinic.site(remedy.appointment.site)),
        "time": None if remedy.start is None else to_the_second(remedy.start),
        "url": f"{ctx.urls.fhir}/Appointment/{remedy.appointment.id}",
        "method": "PUT",
    }


def _stated(ctx: Context, reasons: Sequence[Reason], *, site: Site) -> dict[str, Any]:
    return concept(reasons, texts.REASONS, zone=site.zone, words=texts.words_of(ctx.clinic))


def _first(row: Appointment) -> dict[str, Any]:
    start = None if row.starts_at is None else to_the_second(row.starts_at)
    return {"id": str(row.id), "start": start, "status": row.status}


def _inputs(referral: Referral) -> list[dict[str, Any]]:
    return [
        _typed(TaskInput.SENT_AT, valueDateTime=to_the_second(referral.sent_at)),
        _typed(TaskInput.COMPLETE_AT, valueDateTime=to_the_second(referral.complete_at)),
        _typed(TaskInput.DUE_ON, valueDate=referral.due_on.isoformat()),
        _typed(TaskInput.PROGRAMME, valueCoding={"system": PROGRAMME_SYSTEM, "code": referral.programme}),
        _typed(TaskInput.SITE, valueString=referral.site),
    ]


def _second_due_on(row: Guarantee, *, site: Site) -> dict[str, Any]:
    """Write the last local day of the second promise, which ends when that day does."""
    last = (row.second_due_at - timedelta(seconds=1)).astimezone(site.zone).date()
    return _typed(TaskInput.SECOND_DUE_ON, valueDate=last.isoformat())


def _outputs(row: Guarantee) -> list[dict[str, Any]]:
    return [
        _typed("raw-days", valueInteger=row.raw_days),
        _typed("adjusted-days", valueInteger=row.adjusted_days),
    ]


def _typed(code: str, **value: object) -> dict[str, Any]:
    return {"type": coded(TASK_INPUT_SYSTEM, code), **value}
