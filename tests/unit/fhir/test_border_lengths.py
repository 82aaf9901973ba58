"""A text that we search by is no longer than an index takes, and every other one as long as the body."""

import json
from typing import Any

import pytest

from shared.errors import Invalid
from shared.fhir import check
from shared.fhir.check import steps
from tests.unit.fhir.problems import places

LONGEST = "x" * 255
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "identifier": [{"system": "urn:a", "value": "1"}, {"system": "urn:b", "value": "2"}],
}
COVERAGE: dict[str, Any] = {
    "resourceType": "Coverage",
    "status": "active",
    "subscriberId": "1",
    "beneficiary": {"reference": "Patient/1", "identifier": {"value": "1"}},
    "payor": [{"reference": "Organization/1"}],
}
BOUNDED = [
    (PATIENT, ("identifier", 1, "value"), "Patient.identifier[1].value"),
    (PATIENT, ("identifier", 0, "system"), "Patient.identifier[0].system"),
    (COVERAGE, ("subscriberId",), "Coverage.subscriberId"),
    (COVERAGE, ("beneficiary", "identifier", "value"), "Coverage.beneficiary.identifier.value"),
]


def with_text(resource: dict[str, Any], path: tuple[Any, ...], text: str) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(resource))
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = text
    return changed


@pytest.mark.parametrize(("resource", "path", "place"), BOUNDED)
async def test_one_that_is_too_long_is_refused_with_its_place_and_the_limit(
    resource: dict[str, Any], path: tuple[Any, ...], place: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await check.receive(json.dumps(with_text(resource, path, LONGEST + "x")).encode())
    (problem,) = refused.value.problems
    assert (problem.expression, problem.code) == (place, "too-long")
    assert "256" in problem.text
    assert "255" in problem.text
    assert LONGEST not in problem.text


@pytest.mark.parametrize(("resource", "path", "place"), BOUNDED)
@pytest.mark.parametrize("character", ["x", "\u05d0", "\U0001f9d1"])
async def test_the_longest_is_taken_by_both_ways(
    resource: dict[str, Any], path: tuple[Any, ...], place: str, character: str
) -> None:
    longest = with_text(resource, path, character * 255)
    assert check.warm().accepts(json.dumps(longest).encode(), longest)
    assert steps.problems_of(longest) == []


async def test_what_is_searched_by_no_index_is_as_long_as_it_is() -> None:
    named = PATIENT | {"name": [{"family": "y" * 9000}]}
    assert (await check.receive(json.dumps(named).encode())).data == named


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1f"])
def test_no_uri_and_no_code_holds_a_control_character(character: str) -> None:
    coded = {"coding": [{"system": f"urn:{character}", "code": f"a{character}b"}]}
    assert places(PATIENT | {"maritalStatus": coded, "implicitRules": f"urn:{character}a"}) == [
        "Patient.implicitRules",
        "Patient.maritalStatus.coding[0].code",
        "Patient.maritalStatus.coding[0].system",
    ]
