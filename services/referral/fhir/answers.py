"""What the three doors answer: a transaction-response, a message response, and the dry run's Parameters."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from services.referral import texts
from services.referral.fhir import wording
from services.referral.fhir.submission import ADD
from services.referral.models.facts import Day, Facts, Verdict
from shared.clinic import Clinic
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


def transaction_response(responses: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Answer a transaction, entry by entry in its order, and the same bytes whenever it is sent again."""
    entries = [{"response": {name: response[name] for name in sorted(response)}} for response in responses]
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}


def message_response(
    task: bytes,
    *,
    task_id: UUID,
    base: str,
    answers: str,
    of: UUID,
    code: str = ADD,
    clinic: str,
    at: datetime,
) -> bytes:
    """Answer a message with the process Task; `answers` is the message's id, `of` makes the answer's own."""
    header = {
        "resourceType": "MessageHeader",
        "id": f"answer-{of}",
        "eventCoding": {"system": _MESSAGE_EVENTS, "code": code},
        "source": {"name": clinic, "endpoint": "urn:lumbar:referral"},
        "response": {"identifier": answers, "code": "ok"},
        "focus": [{"reference": f"Task/{task_id}"}],
    }
    bundle = {
        "resourceType": "Bundle",
        "type": "message",
        "timestamp": instant(at),
        "entry": [
            {"fullUrl": f"urn:lumbar:answer-{of}", "resource": header},
            {"fullUrl": f"{base}/Task/{task_id}", "resource": msgspec.Raw(task)},
        ],
    }
    return msgspec.json.encode(bundle)


def dry_run(
    problems: Iterable[Problem],
    *,
    verdict: Verdict | None = None,
    facts: Facts | None = None,
    clinic: Clinic,
) -> dict[str, Any]:
    """Say what would happen: the problems as an OperationOutcome, the verdict of triage, and how each answer
    was read.
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
        {"name": "return", "resource": {"resourceType": "OperationOutcome", "issue": issues}}
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


_MESSAGE_EVENTS = "https://fhir.infoway-inforoute.ca/CodeSystem/ca-eReC-event"
