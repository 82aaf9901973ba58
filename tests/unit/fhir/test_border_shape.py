"""Steps 2 and 3 on small resources: each problem with its place, all at once, no value repeated."""

from typing import Any

import pytest

from tests.unit.fhir.problems import PATIENT, places, problems


def test_every_problem_is_told_at_once_with_its_place() -> None:
    assert places(
        {
            "resourceType": "Patient",
            "gender": "x",
            "birthDate": "2020-13-01",
            "contact": [{"name": {"family": 1}}, {}],
            "deceasedBoolean": True,
            "deceasedDateTime": "2020",
            "shoes": 2,
            "communication": [{}],
        }
    ) == [
        "Patient.birthDate",
        "Patient.communication[0]",
        "Patient.communication[0].language",
        "Patient.contact[0].name.family",
        "Patient.contact[1]",
        "Patient.contact[1]",
        "Patient.deceased",
        "Patient.gender",
        "Patient.shoes",
    ]


def test_entry_2_stands_before_entry_10() -> None:
    entries: list[dict[str, Any]] = [{"resource": PATIENT} for _ in range(11)]
    entries[2] = {"resource": {"resourceType": "Patient", "gender": "x"}}
    entries[10] = {"resource": {"resourceType": "Patient", "gender": "x"}}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    assert places(bundle) == ["Bundle.entry[2].resource.gender", "Bundle.entry[10].resource.gender"]


def test_no_text_repeats_what_was_sent() -> None:
    secret = "Tremblay"
    found = problems(
        {
            "resourceType": "Patient",
            "gender": secret,
            "birthDate": secret,
            "id": f"{secret}!",
            "name": secret,
            secret * 20: 1,
            "text": {"status": secret, "div": f"<{secret}/>"},
            "managingOrganization": {"reference": f"{secret}/1"},
            "photo": [{"data": secret}],
        }
    )
    assert len(found) >= 8
    assert not any(secret in text or secret in (place or "") for place, text in found)


def test_at_most_100_problems_are_told() -> None:
    names = [{"use": "x"} for _ in range(300)]
    assert len(problems({"resourceType": "Patient", "name": names})) == 100
    telecoms = [{"value": "1"} for _ in range(300)]
    assert len(problems({"resourceType": "Patient", "telecom": telecoms})) == 100


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("active", "true"),
        ("active", 1),
        ("multipleBirthInteger", 2**31),
        ("multipleBirthInteger", True),
        ("multipleBirthInteger", 1.0),
        ("birthDate", "2023-02-29"),
        ("birthDate", "23-01-01"),
        ("birthDate", "2023-01-01T00:00:00Z"),
        ("deceasedDateTime", "2023-01-01T00:00:00"),
        ("deceasedDateTime", "2023-01-01T24:00:00Z"),
        ("deceasedDateTime", "2023-01-01 00:00"),
        ("id", "a_b"),
        ("id", "a" * 65),
        ("id", ""),
        ("language", " en"),
        ("language", ""),
        ("implicitRules", "a b"),
        ("name", {}),
        ("name", []),
        ("name", None),
        ("name", [None]),
        ("name", [{}]),
        ("name", [[]]),
        ("name", [{"text": ""}]),
        ("name", [{"text": "a\x00b"}]),
        ("name", [{"given": [None]}]),
        ("name", [{"given": "Ada"}]),
        ("fhir_comments", ["x"]),
        ("_active", {"id": 1}),
        ("_name", {}),
        ("photo", [{"contentType": "image/png", "data": "?"}]),
        ("photo", [{"contentType": "image/png", "data": "QQ==", "size": 2}]),
    ],
)
def test_a_value_of_the_wrong_form_is_refused(member: str, value: Any) -> None:
    assert problems({**PATIENT, member: value})


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("birthDate", "2024-02-29"),
        ("birthDate", "2024"),
        ("deceasedDateTime", "2016-12-31T23:59:60Z"),
        ("deceasedDateTime", "2023-01-01T00:00:00.123456789-05:00"),
        ("id", "A-1." + "x" * 60),
        ("name", [{"given": [None, "Ada"], "_given": [{"id": "x"}, None]}]),
        ("name", [{"text": "a\r\n\tb é 漢"}]),
        ("_birthDate", {"extension": [{"url": "u", "valueString": "unknown"}]}),
        ("multipleBirthInteger", -3),
        ("photo", [{"contentType": "image/png", "data": "QQ\n==", "size": 1}]),
    ],
)
def test_a_value_of_the_right_form_is_taken(member: str, value: Any) -> None:
    assert problems({**PATIENT, member: value}) == []


def test_a_required_primitive_may_be_an_extension_only() -> None:
    absent = {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "x"}]
    }
    task = {"resourceType": "Task", "intent": "order", "_status": absent}
    assert problems(task) == []


@pytest.mark.parametrize("status", ["rejected", "ready", "on-hold", "entered-in-error", "completed"])
def test_a_binding_that_the_library_cuts_short_is_whole(status: str) -> None:
    assert problems({"resourceType": "Task", "intent": "order", "status": status}) == []


def test_a_wrong_code_is_told_with_what_is_allowed() -> None:
    found = problems({"resourceType": "Patient", "gender": "x"})
    assert found == [("Patient.gender", "the code is none of: female, male, other, unknown")]


@pytest.mark.parametrize(
    "reference",
    [
        {},
        {"type": "Patient"},
        {"reference": "Medication/1"},
        {"reference": "https://x/fhir/Medication/1"},
        {"reference": "Chicken/1"},
        {"reference": "abc"},
        {"reference": "#nobody"},
        {"reference": "Patient/1", "type": "Group"},
        {"type": "Medication", "identifier": {"value": "1"}},
    ],
)
def test_a_reference_to_nothing_or_to_the_wrong_type_is_refused(reference: dict[str, Any]) -> None:
    request = {"resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": reference}
    assert places(request) == ["ServiceRequest.subject"]


@pytest.mark.parametrize(
    "reference",
    [
        {"reference": "Patient/1"},
        {"reference": "https://x/fhir/Patient/1/_history/2"},
        {"reference": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"},
        {"reference": "Patient?identifier=s|1"},
        {"reference": "https://x/anything"},
        {"identifier": {"value": "1"}},
        {"display": "the patient"},
    ],
)
def test_a_reference_in_each_form_is_taken(reference: dict[str, Any]) -> None:
    request = {"resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": reference}
    assert problems(request) == []
