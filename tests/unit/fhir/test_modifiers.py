"""What turns the meaning of an element is refused wherever it stands, and by its place."""

import json
from typing import Any

import pytest

from shared.errors import Invalid
from shared.fhir import modifiers
from shared.fhir.received import Received

EXTENSION = [{"url": "https://elsewhere.example/negated", "valueBoolean": True}]


def check(data: dict[str, Any], raw: bytes | None = None) -> None:
    body = raw if raw is not None else json.dumps(data).encode()
    modifiers.check(Received(resource_type=data["resourceType"], data=data, raw=body))


ANSWER = {"modifierExtension": EXTENSION}
CONSENT = {"resourceType": "Consent", "implicitRules": "https://rules.example"}
PLAN = {"resourceType": "CarePlan", "activity": [{"detail": {"doNotPerform": True}}]}


@pytest.mark.parametrize(
    ("resource", "where"),
    [
        ({"resourceType": "Patient", "modifierExtension": EXTENSION}, "Patient.modifierExtension"),
        ({"resourceType": "Coverage", "implicitRules": "https://rules.example"}, "Coverage.implicitRules"),
        (
            {"resourceType": "QuestionnaireResponse", "item": [{"answer": [ANSWER]}]},
            "QuestionnaireResponse.item[0].answer[0].modifierExtension",
        ),
        (
            {"resourceType": "ServiceRequest", "contained": [CONSENT]},
            "ServiceRequest.contained[0].implicitRules",
        ),
        (
            {"resourceType": "Bundle", "entry": [{"resource": PLAN}]},
            "Bundle.entry[0].resource.activity[0].detail.doNotPerform",
        ),
        ({"resourceType": "ServiceRequest", "doNotPerform": True}, "ServiceRequest.doNotPerform"),
        ({"resourceType": "Bundle", "implicitRules": "https://rules.example"}, "Bundle.implicitRules"),
    ],
)
def test_is_refused_by_its_place(resource: dict[str, Any], where: str) -> None:
    with pytest.raises(Invalid) as refused:
        check(resource)
    assert [problem.expression for problem in refused.value.problems] == [where]


def test_is_seen_where_its_name_is_written_with_an_escape() -> None:
    resource = {"resourceType": "Patient", "modifierExtension": EXTENSION}
    raw = json.dumps(resource).encode().replace(b"modifierExtension", b"\\u006dodifierExtension")
    with pytest.raises(Invalid):
        check(resource, raw)


def test_what_is_to_be_done_and_what_is_only_kept_is_taken() -> None:
    check({"resourceType": "ServiceRequest", "doNotPerform": False})
    check({"resourceType": "MedicationRequest", "doNotPerform": True})
    check({"resourceType": "Patient", "extension": EXTENSION})
