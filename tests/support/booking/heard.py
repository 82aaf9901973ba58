"""Referrals and authorizations as `referral` tells scheduling of them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from shared.events.envelope import Event
from shared.events.message import head, message
from shared.fhir.codes import PROGRAMME_SYSTEM, TASK_CODE_SYSTEM, TASK_INPUT_SYSTEM
from shared.ids import new_text_id


def an_event(
    event_type: str, focus: Mapping[str, Any], *carries: Mapping[str, Any], at: datetime, version: int = 1
) -> Event:
    """Make an event as a consumer gets it."""
    event_id = new_text_id()
    resources = [(head(resource), resource) for resource in (focus, *carries)]
    return Event(
        id=event_id,
        type=event_type,
        source="https://lumbar.care/fhir/referral",
        subject=f"{focus['resourceType']}/{focus['id']}",
        time=at,
        key="patient",
        version=version,
        value=message(event_id=event_id, event_type=event_type, source="test", at=at, resources=resources),
    )


def accepted(referral_id: str, *, at: datetime, patient_id: str | None = None, **said: Any) -> Event:
    """Make `referral.accepted`; due 28 days after today unless said otherwise."""
    request = a_request(referral_id, patient=f"Patient/{patient_id or new_text_id()}")
    return an_event("referral.accepted", request, process_task(request, at=at, **said), at=at)


def priority_changed(referral_id: str, *, at: datetime, version: int = 2, **said: Any) -> Event:
    """Make `referral.priority-changed`, the referral's second event unless said otherwise."""
    request = a_request(referral_id)
    task = process_task(request, at=at, **said)
    return an_event("referral.priority-changed", request, task, at=at, version=version)


def process_task(
    request: Mapping[str, Any],
    *,
    at: datetime,
    due_on: date | None = None,
    payer: str | None = None,
    unavailable: Sequence[Mapping[str, str]] = (),
    sent_at: datetime | None = None,
    priority: str | None = None,
) -> dict[str, Any]:
    """Make the Task that every event about a referral carries; older versions said no priority."""
    sent = (sent_at or at).isoformat()
    inputs: list[tuple[str, dict[str, Any]]] = [
        ("programme", {"valueCoding": {"system": PROGRAMME_SYSTEM, "code": "rehab"}}),
        ("site", {"valueString": "toronto"}),
        ("requester", {"valueReference": {"reference": "Organization/practice"}}),
        ("sent-at", {"valueDateTime": sent}),
        ("complete-at", {"valueDateTime": sent}),
        ("due-on", {"valueDate": (due_on or (at + timedelta(days=28)).date()).isoformat()}),
        *[("unavailable", {"valuePeriod": period}) for period in unavailable],
    ]
    if payer is not None:
        inputs.append(("payer", {"valueString": payer}))
    task = {
        "resourceType": "Task",
        "id": new_text_id(),
        "status": "in-progress",
        "intent": "order",
        "code": {"coding": [{"system": TASK_CODE_SYSTEM, "code": "process-request"}]},
        "focus": {"reference": f"ServiceRequest/{request['id']}"},
        "for": request["subject"],
        "input": [
            {"type": {"coding": [{"system": TASK_INPUT_SYSTEM, "code": code}]}, **value}
            for code, value in inputs
        ],
    }
    return task if priority is None else task | {"priority": priority}


def a_request(referral_id: str, *, patient: str = "Patient/somebody") -> dict[str, Any]:
    """Make the ServiceRequest that referral events are about."""
    return {
        "resourceType": "ServiceRequest",
        "id": referral_id,
        "status": "active",
        "intent": "order",
        "subject": {"reference": patient},
    }


def authorized(
    referral_id: str,
    *,
    at: datetime,
    status: str = "approved",
    units: int | None = 4,
    starts: date | None = None,
    ends: date | None = None,
    by_discipline: Mapping[str, int] | None = None,
    discipline: str | None = "physiotherapy",
) -> Event:
    """Make `authorization.decided` (or `.pended`) with a grant for physiotherapy, or one for each discipline.

    Without a discipline it is one grant for all.
    """
    claim = {
        "resourceType": "Claim",
        "id": new_text_id(),
        "status": "active",
        "referral": {"reference": f"ServiceRequest/{referral_id}"},
    }
    period = {name: day.isoformat() for name, day in (("start", starts), ("end", ends)) if day is not None}
    asked: Mapping[str | None, int | None] = {**by_discipline} if by_discipline else {discipline: units}
    grants = [_grant(named, number, period=period) for named, number in asked.items()]
    granting = status in ("approved", "partially-approved", "modified")
    parameters = {
        "resourceType": "Parameters",
        "id": new_text_id(),
        "parameter": [
            {"name": "status", "valueCode": status},
            {"name": "referral", "valueReference": {"reference": f"ServiceRequest/{referral_id}"}},
            {"name": "payer", "valueString": "insurer"},
            *(grants if granting else []),
        ],
    }
    name = "pended" if status == "pended" else "decided"
    return an_event(f"authorization.{name}", claim, parameters, at=at)


def _grant(discipline: str | None, units: int | None, *, period: Mapping[str, str]) -> dict[str, Any]:
    parts: list[dict[str, Any]] = []
    parts += [{"name": "discipline", "valueCode": discipline}] if discipline is not None else []
    parts += [{"name": "units", "valueInteger": units}] if units is not None else []
    parts += [{"name": "period", "valuePeriod": dict(period)}] if period else []
    return {"name": "grant", "part": parts}
