"""What the three doors answer: a transaction-response, a message response, and the dry run's Parameters."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from services.referral import texts
from services.referral.fhir import messages, wording
from services.referral.fhir.messages import Message
from services.referral.models.facts import Day, Facts, Verdict
from services.referral.models.rows import Task
from services.referral.models.submission import LeftOut
from shared.clinic import Clinic
from shared.context import Context
from shared.db.models import Resource
from shared.errors import Problem
from shared.fhir.instants import instant


def created(resource_type: str, row: Resource, *, at: datetime, new: bool = True) -> dict[str, Any]:
    """Say where one resource of a transaction stands."""
    return {
        "status": "201 Created" if new else "200 OK",
        "location": f"{resource_type}/{row.id}/_history/{row.version}",
        "etag": f'W/"{row.version}"',
        "lastModified": instant(at),
    }


def answered_by(task_id: UUID, *, at: datetime, new: bool) -> dict[str, Any]:
    """Say that the referral's own Task answers the sender's."""
    return {
        "status": "201 Created" if new else "200 OK",
        "location": f"Task/{task_id}/_history/1",
        "etag": 'W/"1"',
        "lastModified": instant(at),
    }


def kinds_of(responses: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the type of each resource that an answer places, empty where it was left out."""
    return [place_of(response).partition("/")[0] for response in responses]


def place_of(response: Mapping[str, Any]) -> str:
    """Return where a resource stands, as `Type/id`; empty where it was left out."""
    return str(response.get("location", "")).partition("/_history/")[0]


def transaction_response(responses: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Answer a transaction, entry by entry in its order, and the same bytes whenever it is sent again."""
    entries = [{"response": {name: response[name] for name in sorted(response)}} for response in responses]
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}


def not_kept(left: LeftOut) -> dict[str, Any]:
    """Say of one entry of a transaction that it, or something of it, is not kept."""
    return {"status": "200 OK", "outcome": {"resourceType": "OperationOutcome", "issue": [_note(left)]}}


def message_response(message: Message, task: Task, *, left_out: Sequence[LeftOut], ctx: Context) -> bytes:
    """Answer a message with the process Task, and with what was left out of it; a valid message itself.

    The ids are made of what is answered, so that the same message gets the same answer.
    """
    own = [uuid5(NAMESPACE_URL, f"{ctx.urls.fhir}#{message.id}|{message.digest}|{part}") for part in range(3)]
    address = f"{ctx.urls.fhir}/Task/{task.id}"
    response: dict[str, Any] = {"identifier": message.id, "code": "ok"}
    entries: list[Any] = [{"fullUrl": address, "resource": msgspec.Raw(task.body)}]
    if left_out:
        issues = [_note(left) for left in left_out]
        outcome = {"resourceType": "OperationOutcome", "id": str(own[2]), "issue": issues}
        response["details"] = {"reference": f"urn:uuid:{own[2]}"}
        entries.append({"fullUrl": f"urn:uuid:{own[2]}", "resource": outcome})
    header = {
        "resourceType": "MessageHeader",
        "id": str(own[1]),
        "eventCoding": messages.answering_event(message),
        "source": {"name": ctx.clinic.name, "endpoint": f"{ctx.urls.fhir}/$process-message"},
        "response": response,
        "focus": [{"reference": address}],
    }
    asked_by = message.header.get("source", {})
    if asked_by.get("endpoint"):
        header["destination"] = [
            {name: asked_by[name] for name in ("name", "endpoint") if asked_by.get(name)},
        ]
    bundle = {
        "resourceType": "Bundle",
        "id": str(own[0]),
        "type": "message",
        "timestamp": instant(ctx.at),
        "entry": [{"fullUrl": f"urn:uuid:{own[1]}", "resource": header}, *entries],
    }
    return msgspec.json.encode(bundle)


def _note(left: LeftOut) -> dict[str, Any]:
    where = "ServiceRequest" if left.index is None else f"Bundle.entry[{left.index}].resource"
    return {
        "severity": "information",
        "code": "informational",
        "details": {"text": left.text},
        "expression": [where],
    }


def dry_run(
    problems: Iterable[Problem],
    *,
    verdict: Verdict | None = None,
    facts: Facts | None = None,
    notes: Sequence[LeftOut] = (),
    clinic: Clinic,
) -> dict[str, Any]:
    """Say what would happen: the problems as an OperationOutcome, the verdict of triage, how each answer was
    read, and what would be left out.
    """
    issues = [
        {
            "severity": problem.severity,
            "code": problem.code,
            "details": {"text": problem.text},
            **({"expression": [problem.expression]} if problem.expression else {}),
        }
        for problem in problems
    ] or [{"severity": "information", "code": "informational", "details": {"text": "It would be taken."}}]
    parameters: list[dict[str, Any]] = [
        {
            "name": "return",
            "resource": {"resourceType": "OperationOutcome", "issue": [*issues, *map(_note, notes)]},
        }
    ]
    if verdict is not None:
        parameters += _verdict(verdict, clinic=clinic)
    if facts is not None:
        parameters += _readings(facts)
    return {"resourceType": "Parameters", "parameter": parameters}


def _readings(facts: Facts) -> list[dict[str, Any]]:
    """Say of each question that has an answer how it was read; what was not understood is not answered."""
    days = facts.days if facts.birth_date is None else {"birth-date": facts.birth_date, **facts.days}
    read: list[tuple[str, dict[str, Any]]] = [
        *((link_id, {"valueCode": code}) for link_id, code in facts.answers.items()),
        *((link_id, {"valuePeriod": _period(day)}) for link_id, day in days.items()),
        *((link_id, {"valueCode": "not-answered"}) for link_id in sorted(facts.unread)),
    ]
    return [
        {
            "name": "answer",
            "part": [
                {"name": "question", "valueCode": link_id},
                {"name": "read-as", **value},
                {"name": "element", "valueString": facts.element(link_id)},
            ],
        }
        for link_id, value in read
    ]


def _period(day: Day) -> dict[str, str]:
    return {"start": day.earliest.isoformat(), "end": day.latest.isoformat()}


def _verdict(verdict: Verdict, *, clinic: Clinic) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [{"name": "verdict", "valueCode": verdict.outcome}]
    for name, value in (
        ("stream", verdict.stream),
        ("programme", verdict.programme),
        ("payer", verdict.payer),
    ):
        if value is not None:
            parameters.append({"name": name, "valueCode": value})
    site = clinic.sites[0].id
    for finding in verdict.findings:
        words = wording.told(finding.reasons, site=site, clinic=clinic)
        part: list[dict[str, Any]] = [
            {"name": "id", "valueCode": finding.rule},
            {"name": "text", "valueString": words},
        ]
        part += [{"name": "element", "valueString": element} for element in finding.elements]
        parameters.append({"name": "rule", "part": part})
    for missing in (*verdict.missing, *verdict.asked_after):
        part = [
            {"name": "code", "valueCode": missing.code},
            {"name": "text", "valueString": texts.MISSING[missing.code]},
            {"name": "element", "valueString": missing.element},
        ]
        parameters.append({"name": "missing", "part": part})
    return parameters
