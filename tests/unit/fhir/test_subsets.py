"""What `_summary` and `_elements` leave of a resource: what was asked for, and what nobody must miss."""

import json
from typing import Any

import pytest

from shared.errors import Invalid, NotSupported
from shared.fhir import subsets

PATIENT = {
    "resourceType": "Patient",
    "id": "1",
    "meta": {"versionId": "2", "tag": [{"code": "mine"}]},
    "text": {"status": "generated", "div": "<div/>"},
    "contained": [{"resourceType": "Organization"}],
    "active": True,
    "_active": {"id": "a"},
    "name": [{"family": "Roy"}],
    "contact": [{"gender": "male"}],
    "deceasedBoolean": False,
    "multipleBirthInteger": 2,
    "birthDate": "1970-01-01",
}
WEIGHT = {
    "resourceType": "Observation",
    "id": "2",
    "status": "final",
    "code": {"text": "Pain"},
    "valueInteger": 250,
    "note": [{"text": "x"}],
}


def cut(resource: dict[str, Any], **asked: str) -> dict[str, Any]:
    """Cut a resource as a query asks."""
    named = {f"_{name}": [text] for name, text in asked.items()}
    subset, _ = subsets.read(named, resource_type=resource["resourceType"])
    found: dict[str, Any] = json.loads(subset.cut(json.dumps(resource).encode()))
    return found


def test_a_summary_has_the_elements_of_a_summary() -> None:
    kept = "resourceType id meta active _active name deceasedBoolean birthDate"
    assert set(cut(PATIENT, summary="true")) == set(kept.split())


def test_a_text_has_the_narrative_and_what_is_needed() -> None:
    assert set(cut(PATIENT, summary="text")) == set(
        ["resourceType", "id", "meta", "text", "active", "_active", "deceasedBoolean"]
    )
    assert set(cut(WEIGHT, summary="text")) == set(["resourceType", "id", "meta", "status", "code"])


def test_data_are_all_but_the_narrative() -> None:
    assert set(cut(PATIENT, summary="data")) == set(PATIENT) - {"text"}


def test_elements_come_with_what_is_needed_and_what_changes_the_meaning() -> None:
    found = cut(PATIENT, elements="contact,multipleBirth")
    kept = "resourceType id meta active _active contact deceasedBoolean multipleBirthInteger"
    assert set(found) == set(kept.split())
    assert set(cut(WEIGHT, elements="value")) == set(
        ["resourceType", "id", "meta", "status", "code", "valueInteger"]
    )


def test_a_part_is_marked_beside_the_tags_that_are_there() -> None:
    assert [tag["code"] for tag in cut(PATIENT, elements="name")["meta"]["tag"]] == ["mine", "SUBSETTED"]
    assert [tag["code"] for tag in cut(WEIGHT, summary="true")["meta"]["tag"]] == ["SUBSETTED"]


@pytest.mark.parametrize("asked", [{}, {"summary": "false"}, {"summary": "count"}, {"elements": ""}])
def test_a_whole_resource_keeps_its_bytes(asked: dict[str, str]) -> None:
    named = {f"_{name}": [text] for name, text in asked.items()}
    body = b'{"resourceType":"Patient",  "x": 250.50}'
    assert subsets.read(named, resource_type="Patient")[0].cut(body) is body


def test_a_number_keeps_its_bytes() -> None:
    subset, _ = subsets.read({"_elements": ["value"]}, resource_type="Observation")
    body = b'{"resourceType":"Observation","valueQuantity":{"value":250.50}}'
    assert b"250.50" in subset.cut(body)


def test_an_element_that_the_type_has_not_is_named() -> None:
    subset, unknown = subsets.read({"_elements": ["name,colour,-text"]}, resource_type="Patient")
    assert (subset.elements, list(unknown)) == ({"name"}, ["-text", "colour"])
    assert subsets.read({"_elements": ["colour"]}, resource_type="Patient")[0].elements == {"id"}


def test_what_contradicts_itself_is_refused() -> None:
    with pytest.raises(NotSupported):
        subsets.read({"_summary": ["true"], "_elements": ["name"]}, resource_type="Patient")
    for wrong in (["some"], ["true", "data"]):
        with pytest.raises(Invalid):
            subsets.read({"_summary": wrong}, resource_type="Patient")
