"""Calls of the parties that many tests make."""

from typing import Any

import httpx

from shared.fhir import codes
from tests.support.clinic import TestClinic


async def send(clinic: TestClinic, body: dict[str, Any], *, as_: str = "family-practice") -> httpx.Response:
    return await clinic.as_(as_).post("/referral/fhir", json=body)


def located(answer: httpx.Response, resource_type: str = "ServiceRequest") -> str:
    assert answer.status_code == 200, answer.text
    for entry in answer.json()["entry"]:
        kind, _, key = entry["response"].get("location", "").partition("/_history")[0].partition("/")
        if kind == resource_type:
            return str(key)
    raise AssertionError(f"no {resource_type} in {answer.text}")


async def task_of(clinic: TestClinic, referral: str, *, as_: str = "family-practice") -> dict[str, Any]:
    answer = await clinic.as_(as_).get(
        f"/referral/fhir/Task?focus=ServiceRequest/{referral}&code=process-request"
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["entry"][0]["resource"])


async def told(clinic: TestClinic) -> list[str]:
    await clinic.settle()
    return [event.type for event in await clinic.events()]


def business_status(task: dict[str, Any]) -> str:
    return str(task["businessStatus"]["coding"][0]["code"])


async def operate(
    clinic: TestClinic, as_: str, referral: str, operation: str, **values: Any
) -> httpx.Response:
    """Call an operation on a referral: texts as valueString, references and resources as they are."""
    parameters = [_parameter(name, value) for name, value in values.items()]
    body: dict[str, Any] = {"resourceType": "Parameters"}
    return await clinic.as_(as_).post(
        f"/referral/fhir/ServiceRequest/{referral}/${operation}",
        json=body | ({"parameter": parameters} if parameters else {}),
    )


async def work_of(clinic: TestClinic, as_: str, query: str) -> list[dict[str, Any]]:
    answer = await clinic.as_(as_).get(f"/referral/fhir/Task?{query}")
    assert answer.status_code == 200, answer.text
    return [entry["resource"] for entry in answer.json().get("entry", [])]


def response(claim: dict[str, Any], action: str, **members: Any) -> dict[str, Any]:
    """Make a ClaimResponse with one review action on every item."""
    answered: dict[str, Any] = {
        "resourceType": "ClaimResponse",
        "status": "active",
        "type": claim["type"],
        "use": "preauthorization",
        "patient": claim["patient"],
        "created": "2026-03-02",
        "insurer": {"reference": claim["insurer"]["reference"]},
        "request": {"reference": f"Claim/{claim['id']}"},
        "outcome": "complete",
        "item": [reviewed(item["sequence"], action) for item in claim["item"]],
    }
    return answered | members


def reviewed(sequence: int, action: str, **adjudicated: Any) -> dict[str, Any]:
    code = {"coding": [{"system": codes.X12_306_SYSTEM, "code": action}]}
    inner = {"url": codes.REVIEW_ACTION_CODE_EXTENSION, "valueCodeableConcept": code}
    adjudication = {
        "category": {"text": "submitted"},
        "extension": [{"url": codes.REVIEW_ACTION_EXTENSION, "extension": [inner]}],
    }
    return {"itemSequence": sequence, "adjudication": [adjudication | adjudicated]}


def _parameter(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {"name": name, ("resource" if "resourceType" in value else "valueReference"): value}
    return {"name": name, "valueString": value}
