"""Tasks: the process Task of a referral, kept true, and what the people of the clinic are asked to do."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.referral import texts
from services.referral.fhir import wording
from services.referral.models.facts import Finding
from services.referral.models.rows import Claim, Referral
from services.referral.states import TASK_STATUS, State, Turn
from shared.clinic import Clinic
from shared.fhir.codes import (
    BUSINESS_STATUS_SYSTEM,
    LUMBAR,
    PROGRAMME_SYSTEM,
    STREAM_SYSTEM,
    TASK_CODE_SYSTEM,
    TASK_INPUT_SYSTEM,
    TRIAGE_RULE_SYSTEM,
    TaskCode,
    TaskInput,
)
from shared.fhir.elements import directory_reference
from shared.fhir.instants import instant
from shared.fhir.reasons import REASON_SYSTEM, added
from shared.reasons import Reason, as_written

_CANADIAN = "https://fhir.infoway-inforoute.ca/CodeSystem/ca-referralbusinessstatus"
_BSER = "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS"
_OURS = f"{LUMBAR}/referral"
_FILLER = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "FILL"}]}
_CANADIAN_STATUS = {
    State.AWAITING_TRIAGE: "awaiting-triage",
    State.AWAITING_BOOKING: "awaiting-booking",
    State.WAITLISTED: "awaiting-booking",
    State.BOOKED: "booked",
    State.CLOSED: "cancelled-by-performer",
}
_BSER_STATUS = {
    **dict.fromkeys((State.AWAITING_TRIAGE, State.INFORMATION_REQUESTED, State.AWAITING_REVIEW), "2.0"),
    State.DUPLICATE_SUSPECTED: "2.0",
    **dict.fromkeys((State.ACCEPTED, State.AWAITING_BOOKING, State.WAITLISTED), "3.0"),
    State.DECLINED: "4.0",
    State.EMERGENCY_REDIRECTED: "4.0",
    State.EMERGENCY_ACKNOWLEDGED: "4.0",
    State.BOOKED: "5.1.1",
    State.MISSED: "5.1.2",
    State.APPOINTMENT_CANCELLED: "5.1.3",
    **dict.fromkeys((State.ASSESSED, State.IN_PROGRAMME), "5.1.4"),
    State.REVOKED: "6.0",
    State.CLOSED: "6.0",
    State.MERGED: "6.0",
    State.DISCHARGED: "7.0",
}
_TITLES = {
    TaskCode.ACKNOWLEDGE_EMERGENCY: "Acknowledge that the patient goes to an emergency department",
    TaskCode.TELEPHONE_REFERRER: "Telephone the referrer: the emergency is not acknowledged",
    TaskCode.OVERDUE_REFERRAL: "The referral waits too long: see that it goes on",
    TaskCode.TELEPHONE_CLINICIAN: "Telephone a clinician: the urgent referral is not decided",
    TaskCode.REVIEW_REFERRAL: "Review the referral: accept, decline or ask",
    TaskCode.MERGE_DUPLICATE: "Decide whether this is a duplicate: merge it, or accept it as new",
    TaskCode.UPDATE_PATIENT: "See what a sender says newly of the patient, and take over what is right",
    TaskCode.RESOLVE_IDENTITY: "See who the patient is: merge the records of one person",
    TaskCode.ANSWER_REFERRER: "Answer what the referrer asks about the referral",
    TaskCode.ANSWER_CLINIC: "Answer what the clinic asks about the referral",
    TaskCode.ANOTHER_TIME: "Find another time: the patient cannot come",
    TaskCode.RESOLVE_DENIAL: "The insurer denied the sessions: other payer, self-pay, or close",
    TaskCode.DECIDE_AUTHORIZATION: "Decide the authorization",
}
# Somebody answers within minutes, whatever the priority of the referral.
_CANNOT_WAIT = (TaskCode.ACKNOWLEDGE_EMERGENCY, TaskCode.TELEPHONE_REFERRER)
# Our own name for "the first referral", in the output of a merged one.
MERGED_INTO = "merged-into"


def process_task(
    referral: Referral, *, clinic: Clinic, sent: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Render the Task that tells the referrer where the referral stands, why, and whose turn it is.

    It answers the sender's own Task: of what was `sent`, and of itself as it was, it keeps identifiers and
    notes. Ours is the filler's identifier of the two (BSeR ReferralTask, v2 table 0203).
    """
    state = State(referral.state)
    ours = {"type": _FILLER, "system": _OURS, "value": str(referral.id)}
    task = {
        "resourceType": "Task",
        "identifier": [ours, *_stated(sent, "identifier")],
        "status": TASK_STATUS[state],
        "intent": "order",
        "priority": referral.priority,
        "code": _code(TaskCode.PROCESS_REQUEST),
        **_about(referral),
        "requester": directory_reference(clinic, f"Organization/{referral.requester}"),
        "owner": directory_reference(clinic, f"Organization/{clinic.id}"),
        "authoredOn": instant(referral.sent_at),
        "businessStatus": _business_status(state),
        "statusReason": wording.stated(_reasons(referral), site=referral.site, clinic=clinic),
        "input": _inputs(referral, clinic=clinic),
        "output": _outputs(referral),
        "note": _stated(sent, "note"),
    }
    return {name: value for name, value in task.items() if value}


def _stated(sent: Sequence[Mapping[str, Any]], member: str) -> list[Any]:
    """Return what the sender's Task says, each part once."""
    stated = [part for task in sent for part in task.get(member, []) if part.get("system") != _OURS]
    return [part for place, part in enumerate(stated) if part not in stated[:place]]


def work_task(
    referral: Referral,
    *,
    code: TaskCode,
    owner: str,
    reason: Sequence[Reason],
    at: datetime,
    clinic: Clinic,
    due: datetime | None = None,
    claim: Claim | None = None,
    recipients: Sequence[str] = (),
) -> dict[str, Any]:
    """Render a Task that asks somebody to act on a referral, or an insurer on its Claim."""
    task: dict[str, Any] = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "priority": "stat" if code in _CANNOT_WAIT else referral.priority,
        "code": _code(code),
        "description": _TITLES[code],
        **_about(referral),
        "requester": directory_reference(clinic, f"Organization/{referral.requester}"),
        "owner": directory_reference(clinic, owner),
        "authoredOn": instant(at),
        "statusReason": wording.stated(reason, site=referral.site, clinic=clinic),
    }
    if claim is not None:
        task["focus"] = {"reference": f"Claim/{claim.id}"}
    asked = [directory_reference(clinic, f"Practitioner/{person}") for person in recipients]
    restricted = {"period": {"end": instant(due)} if due else None, "recipient": asked}
    if limits := {name: value for name, value in restricted.items() if value}:
        task["restriction"] = limits
    return task


def unavailable_input(start: str | None, end: str | None) -> dict[str, Any]:
    """Name the days on which the patient cannot come."""
    period = {name: day for name, day in (("start", start), ("end", end)) if day is not None}
    return _input(TaskInput.UNAVAILABLE, "valuePeriod", period)


def duplicate_input(first: str) -> dict[str, Any]:
    """Name the referral that a suspected duplicate may repeat, so that the merge can be offered."""
    return {"type": {"text": "duplicate-of"}, "valueReference": {"reference": f"ServiceRequest/{first}"}}


def described_input(contained: str) -> dict[str, Any]:
    """Name the contained Patient with what a sender says newly."""
    return _input(TaskInput.DESCRIBED, "valueReference", {"reference": contained})


def resembling_input(patient_id: str) -> dict[str, Any]:
    """Name a patient who carries the same identifier."""
    return _input(TaskInput.RESEMBLES, "valueReference", {"reference": f"Patient/{patient_id}"})


def rejection(stated: Mapping[str, Any], *, words: str) -> dict[str, Any]:
    """Write why somebody handed a Task back, in their words and with the codings of others."""
    others = [coding for coding in stated.get("coding", ()) if coding.get("system") != REASON_SYSTEM]
    mine = {name: value for name, value in stated.items() if name not in ("coding", "text")}
    return added(mine | {"coding": others}, [as_written(words)], texts.REASONS)


def _about(referral: Referral) -> dict[str, Any]:
    request = {"reference": f"ServiceRequest/{referral.id}"}
    return {"basedOn": [request], "focus": request, "for": {"reference": f"Patient/{referral.patient_id}"}}


def _code(code: TaskCode) -> dict[str, Any]:
    return {"coding": [{"system": TASK_CODE_SYSTEM, "code": code}]}


def _business_status(state: State) -> dict[str, Any]:
    codings = [{"system": BUSINESS_STATUS_SYSTEM, "code": str(state)}]
    if state in _CANADIAN_STATUS:
        codings.append({"system": _CANADIAN, "code": _CANADIAN_STATUS[state]})
    if state in _BSER_STATUS:
        codings.append({"system": _BSER, "code": _BSER_STATUS[state]})
    return {"coding": codings, "text": str(state).replace("-", " ")}


def _reasons(referral: Referral) -> list[Reason]:
    return [*referral.reason, *referral.funding, *referral.sessions]


def _inputs(referral: Referral, *, clinic: Clinic) -> list[dict[str, Any]]:
    requester = directory_reference(clinic, f"Organization/{referral.requester}")
    given: list[tuple[TaskInput, str, Any]] = [
        (TaskInput.PROGRAMME, "valueCoding", _coding(PROGRAMME_SYSTEM, referral.programme)),
        (TaskInput.PROPOSED_PROGRAMME, "valueCoding", _coding(PROGRAMME_SYSTEM, _proposed(referral))),
        (TaskInput.STREAM, "valueCoding", _coding(STREAM_SYSTEM, referral.stream)),
        (TaskInput.SITE, "valueString", referral.site),
        (TaskInput.PAYER, "valueString", referral.payer),
        (TaskInput.REQUESTER, "valueReference", requester),
        (TaskInput.CAME_BY, "valueString", referral.came_by),
        (TaskInput.SENT_AT, "valueDateTime", instant(referral.sent_at)),
        (TaskInput.COMPLETE_AT, "valueDateTime", referral.complete_at and instant(referral.complete_at)),
        (TaskInput.DUE_ON, "valueDate", referral.due_on.isoformat()),
        (TaskInput.TURN, "valueReference", _turn(referral, clinic=clinic)),
    ]
    given += [
        (TaskInput.UNAVAILABLE, "valuePeriod", {"start": start, "end": end})
        for start, end in referral.unavailable
    ]
    given += [
        (TaskInput.TRIAGE_RULE, "valueCoding", _fired(finding, referral, clinic=clinic))
        for finding in referral.rules
    ]
    return [_input(name, member, value) for name, member, value in given if value is not None]


def _input(name: TaskInput, member: str, value: Any) -> dict[str, Any]:
    return {"type": {"coding": [{"system": TASK_INPUT_SYSTEM, "code": name}]}, member: value}


def _fired(finding: Finding, referral: Referral, *, clinic: Clinic) -> dict[str, str]:
    words = wording.told(finding.reasons, site=referral.site, clinic=clinic)
    return {"system": TRIAGE_RULE_SYSTEM, "code": finding.rule, "display": words}


def _turn(referral: Referral, *, clinic: Clinic) -> dict[str, str] | None:
    """Name who must act next, nobody where the referral has ended."""
    who = {
        Turn.REFERRER: f"Organization/{referral.requester}",
        Turn.CLINIC: f"Organization/{clinic.id}",
        Turn.PATIENT: f"Patient/{referral.patient_id}",
    }.get(Turn(referral.turn))
    return None if who is None else directory_reference(clinic, who)


def _proposed(referral: Referral) -> str | None:
    """Return the programme that a rule proposes."""
    reasons = [reason for finding in referral.rules for reason in finding.reasons]
    proposals = [one.arguments for one in reasons if one.code == "programme-proposed"]
    return next((str(argument.value) for arguments in proposals for argument in arguments), None)


def _coding(system: str, code: str | None) -> dict[str, str] | None:
    return None if code is None else {"system": system, "code": code}


def _outputs(referral: Referral) -> list[dict[str, Any]]:
    # What another sender calls its referral is not this one's to read.
    is_anothers = any(reason.code == "same-as-anothers" for reason in referral.reason)
    named = (
        (MERGED_INTO, "ServiceRequest", None if is_anothers else referral.merged_into),
        ("report", "Composition", referral.report),
    )
    return [
        {"type": {"text": text}, "valueReference": {"reference": f"{resource_type}/{target}"}}
        for text, resource_type, target in named
        if target is not None
    ]
