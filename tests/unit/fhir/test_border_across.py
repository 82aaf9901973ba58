"""Step 5: what holds across the entries of a Bundle."""

from typing import Any

import pytest

from tests.unit.fhir.problems import places, problems

URN = "urn:uuid:00000000-0000-4000-8000-00000000000"
PATIENT = {
    "resourceType": "Patient",
    "identifier": [{"system": "hcn", "value": "1"}],
    "birthDate": "1980-01-01",
}


def entry(number: int, resource: dict[str, Any], **members: Any) -> dict[str, Any]:
    """An entry of a transaction."""
    request = {"method": "POST", "url": resource["resourceType"]}
    return {"fullUrl": f"{URN}{number}", "resource": resource, "request": request, **members}


def document(subject: dict[str, Any], **members: Any) -> dict[str, Any]:
    """An attachment about a subject."""
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "content": [{"attachment": {"url": "https://x/1"}}],
        "subject": subject,
        **members,
    }


def transaction(*entries: dict[str, Any]) -> dict[str, Any]:
    """A transaction Bundle."""
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}


def test_references_in_every_form_mean_the_same_patient() -> None:
    assert (
        problems(
            transaction(
                entry(1, {**PATIENT, "id": "p"}),
                entry(2, document({"reference": f"{URN}1"})),
                entry(3, document({"reference": "Patient/p"})),
                entry(4, document({"reference": "https://practice/fhir/Patient/p"})),
                entry(5, document({"type": "Patient", "identifier": {"system": "hcn", "value": "1"}})),
                entry(6, document({"reference": "#me"}, contained=[{**PATIENT, "id": "me"}])),
            )
        )
        == []
    )


@pytest.mark.parametrize(
    ("subject", "members"),
    [
        ({"reference": "Patient/other"}, {}),
        ({"reference": "https://practice/fhir/Patient/other"}, {}),
        ({"type": "Patient", "identifier": {"system": "hcn", "value": "2"}}, {}),
        (
            {"reference": "#me"},
            {"contained": [{**PATIENT, "id": "me", "identifier": [{"system": "hcn", "value": "2"}]}]},
        ),
        (
            {"reference": "#me"},
            {"contained": [{"resourceType": "Patient", "id": "me", "birthDate": "1999-01-01"}]},
        ),
    ],
)
def test_an_attachment_of_another_patient_is_refused_by_its_entry(
    subject: dict[str, Any], members: dict[str, Any]
) -> None:
    bundle = transaction(entry(1, {**PATIENT, "id": "p"}), entry(2, document(subject, **members)))
    assert places(bundle) == ["Bundle.entry[1].resource.subject"]


def test_a_second_patient_is_refused_unless_linked() -> None:
    other = {"resourceType": "Patient", "identifier": [{"system": "hcn", "value": "2"}]}
    assert places(transaction(entry(1, PATIENT), entry(2, other))) == ["Bundle.entry[1].resource"]
    linked = {**PATIENT, "link": [{"other": {"reference": "Patient/old"}, "type": "replaces"}]}
    assert problems(transaction(entry(1, linked), entry(2, document({"reference": f"{URN}1"})))) == []


def test_a_collection_may_hold_several_patients() -> None:
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": document({"reference": f"Patient/{number}"})} for number in (1, 2)],
    }
    assert problems(bundle) == []


HEADER = {
    "resourceType": "MessageHeader",
    "eventUri": "https://x/e",
    "source": {"endpoint": "https://x/s"},
}


@pytest.mark.parametrize(
    ("key", "bundle"),
    [
        ("bdl-1", {"resourceType": "Bundle", "type": "collection", "total": 1}),
        (
            "bdl-2",
            {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [{"resource": PATIENT, "search": {"mode": "match"}}],
            },
        ),
        ("bdl-3", {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": PATIENT}]}),
        ("bdl-3", {"resourceType": "Bundle", "type": "collection", "entry": [entry(1, PATIENT)]}),
        (
            "bdl-4",
            {"resourceType": "Bundle", "type": "transaction-response", "entry": [{"resource": PATIENT}]},
        ),
        ("bdl-5", {"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": f"{URN}1"}]}),
        ("bdl-7", transaction(entry(1, PATIENT), entry(1, document({"reference": f"{URN}1"})))),
        ("bdl-8", transaction(entry(1, PATIENT, fullUrl="https://x/Patient/1/_history/2"))),
        (
            "bdl-12",
            {
                "resourceType": "Bundle",
                "type": "message",
                "entry": [{"resource": PATIENT}, {"resource": HEADER}],
            },
        ),
        ("absolute", transaction(entry(1, PATIENT, fullUrl="Patient/1"))),
        (
            "different ids",
            {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [{"fullUrl": "https://x/Patient/1", "resource": {**PATIENT, "id": "2"}}],
            },
        ),
    ],
)
def test_a_broken_rule_of_bundles_is_told(key: str, bundle: dict[str, Any]) -> None:
    assert [key in text for _, text in problems(bundle)] == [True]


def test_a_message_with_its_header_first_is_taken() -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "message",
        "entry": [{"resource": HEADER}, {"resource": PATIENT}],
    }
    assert problems(bundle) == []
