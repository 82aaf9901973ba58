"""Cases and actions as Task."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from services.careteam import texts
from services.careteam.fhir.elements import CASE_STATUS_SYSTEM, Resource, codes, practitioner
from services.careteam.fhir.request_parsing import Findings, unchanged
from services.careteam.models.rows import CareTask
from services.careteam.states import ActionState, CaseState
from shared.context import Context
from shared.fhir import reasons
from shared.fhir.codes import LUMBAR, TASK_CODE_SYSTEM, TaskCode
from shared.fhir.elements import coded, directory_reference, reference, referral_reference
from shared.fhir.instants import to_the_second
from shared.fhir.received import Received
from shared.reasons import Reason, as_written, said

CASE_REASON_SYSTEM = f"{LUMBAR}/CodeSystem/case-reason"
_REQUESTED = "requested"
_CASE_STATUS = {CaseState.DECIDED: "completed", CaseState.DROPPED: "cancelled"}
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ACTION_OURS = (
    "code",
    "for",
    "focus",
    "basedOn",
    "owner",
    "requester",
    "intent",
    "authoredOn",
    "restriction",
    "partOf",
    "description",
    "reasonCode",
)


def case_status(state: CaseState) -> str:
    """FHIR's Task.status for a case."""
    return _CASE_STATUS.get(state, "requested")


def case(ctx: Context, task: CareTask, *, why: Reason, requester: str | None) -> Resource:
    """Render a new case."""
    asked_by = {} if requester is None else {"requester": practitioner(ctx, requester)}
    return {
        **_task(ctx, task, intent="plan"),
        **asked_by,
        "focus": reference("CareTeam", task.team_id),
        **(with_reason({}, why=why) or {}),
        **case_overlay(task, at=task.authored_at),
    }


def case_overlay(task: CareTask, *, at: datetime) -> Resource:
    """The members of a case that its state owns."""
    laid: Resource = {
        "status": task.status,
        "businessStatus": coded(CASE_STATUS_SYSTEM, task.state),
        "lastModified": to_the_second(at),
        "input": None,
    }
    if task.meeting_id is not None:
        meeting = {"type": {"text": "meeting"}, "valueReference": reference("Appointment", task.meeting_id)}
        laid["input"] = [meeting]
        if task.position is not None:
            laid["input"].append({"type": {"text": "position"}, "valuePositiveInt": task.position})
    return laid


def with_reason(stored: Mapping[str, Any], *, why: Reason) -> Resource | None:
    """Return the reasons of a case with one more, or None where it has one of this kind already.

    The kind is the reason's code; what a member wrote is `requested`.
    """
    kind = why.code if why.text is None else _REQUESTED
    stated = stored.get("reasonCode", {})
    if kind in codes(stated, system=CASE_REASON_SYSTEM):
        return None
    coding = {"system": CASE_REASON_SYSTEM, "code": kind}
    codings = {**stated, "coding": [*stated.get("coding", ()), coding]}
    return {"reasonCode": reasons.added(codings, [why], texts.REASONS, words=texts.WORDS)}


def decided(text: str, *, actions: Sequence[CareTask]) -> Resource:
    """The members of a case that its decision adds."""
    output: list[Resource] = [{"type": {"text": "decision"}, "valueString": text}]
    output += [
        {"type": {"text": "action"}, "valueReference": reference("Task", action.id)} for action in actions
    ]
    return {"output": output}


def dropped(why: Reason) -> Resource:
    """The members of a Task that its cancelling adds."""
    return {"statusReason": reasons.concept([why], texts.REASONS)}


def action(ctx: Context, task: CareTask, *, what: Reason, requester: str | None) -> Resource:
    """Render a new action; `requester` is the chair, None where the clinic itself asks.

    What is to be done is said in the chair's words, or by a code of the clinic.
    """
    rendered = _task(ctx, task, intent="order")
    rendered["description"] = said(what, texts.REASONS, words=texts.WORDS)
    if what.text is None:
        rendered["reasonCode"] = reasons.concept([what], texts.REASONS, words=texts.WORDS)
    rendered["lastModified"] = to_the_second(task.authored_at)
    if requester is None:
        rendered["requester"] = directory_reference(ctx.clinic, f"Organization/{ctx.clinic.id}")
    else:
        rendered["requester"] = practitioner(ctx, requester)
    if task.case_id is not None:
        rendered["partOf"] = [reference("Task", task.case_id)]
    rendered["focus"] = (
        reference("CareTeam", task.team_id) if task.plan_id is None else reference("CarePlan", task.plan_id)
    )
    if task.due_at is not None:
        rendered["restriction"] = {"period": {"end": to_the_second(task.due_at)}}
    return rendered


def handed_over(ctx: Context, task: CareTask) -> Resource:
    """The members of an action that somebody else owns from now on."""
    return {"owner": practitioner(ctx, task.owner), "lastModified": to_the_second(ctx.at)}


def asked_action_status(
    data: Mapping[str, Any], stored: Mapping[str, Any], *, findings: Findings
) -> ActionState | None:
    """Read the status that its owner gives an action, and note what the owner may not change.

    Returns None where it is no status of an action.
    """
    unchanged(data, stored, members=_ACTION_OURS, findings=findings)
    try:
        return ActionState(data["status"])
    except ValueError:
        findings.add(f"{data['status']} is no status of an action", expression="Task.status")
        return None


def action_overlay(received: Received, *, status: ActionState, at: datetime) -> Resource:
    """The members of an action that its owner may write, as they were sent, with the clinic's time."""
    sent = _MEMBERS.decode(received.raw)
    written: Resource = {name: sent[name] for name in ("statusReason", "note", "output") if name in sent}
    if status is ActionState.REJECTED:
        stated = {name: value for name, value in received.data["statusReason"].items() if name != "text"}
        words = as_written(reason_text(received.data))
        written["statusReason"] = reasons.added(stated, [words], texts.REASONS)
    return written | {"status": status, "lastModified": to_the_second(at)}


def reason_text(data: Mapping[str, Any]) -> str:
    """Read the reason that stands beside a status."""
    return str(data.get("statusReason", {}).get("text", "")).strip()


def asked_case_text(data: Mapping[str, Any], *, findings: Findings) -> str:
    """Read why a member brings a case, and note what keeps the Task from being one."""
    if TaskCode.AGENDA_ITEM not in codes(data.get("code"), system=TASK_CODE_SYSTEM):
        findings.add(
            f"only a Task with the code {TaskCode.AGENDA_ITEM} of {TASK_CODE_SYSTEM} is created here",
            expression="Task.code",
            code="business-rule",
        )
    if data.get("status") != "requested":
        findings.add("a new case is requested", expression="Task.status")
    text = str(data.get("reasonCode", {}).get("text") or data.get("description") or "").strip()
    if not text:
        findings.add("say why the case is brought", expression="Task.reasonCode.text", code="required")
    return text


def _task(ctx: Context, task: CareTask, *, intent: str) -> Resource:
    return {
        "resourceType": "Task",
        "basedOn": [referral_reference(ctx, "ServiceRequest", task.referral_id)],
        "status": task.status,
        "intent": intent,
        "code": coded(TASK_CODE_SYSTEM, task.code),
        "for": referral_reference(ctx, "Patient", task.patient_id),
        "authoredOn": to_the_second(task.authored_at),
        "owner": practitioner(ctx, task.owner),
    }
