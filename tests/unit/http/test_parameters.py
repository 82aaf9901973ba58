"""What is sent to an operation is held against what it declares, with everything that is wrong at once."""

from typing import Any

import pytest
from starlette.datastructures import QueryParams

from shared.errors import Invalid
from shared.http import parameters
from shared.http.parameters import UnknownParameter
from shared.operations import Parameter
from shared.urls import Urls

URLS = Urls(base="https://clinic.example", service="referral")
DECLARED = (
    Parameter(name="reason", min=1, text="Why."),
    Parameter(name="programme", type="code", text="Which.", values=("rapid-access",)),
    Parameter(name="into", type="Reference", text="Where.", targets=("ServiceRequest",)),
    Parameter(
        name="action",
        type="Element",
        max="*",
        text="What.",
        parts=(Parameter(name="due", type="date", text="When."),),
    ),
    Parameter(name="answers", type="Resource", max="*", text="More."),
)


def problems(*given: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        parameters.check(given, DECLARED, urls=URLS)
    return {str(problem.expression): problem.text for problem in refused.value.problems}


def test_what_is_declared_is_taken() -> None:
    given: list[dict[str, Any]] = [
        {"name": "reason", "valueString": "Because"},
        {"name": "programme", "valueString": "rapid-access"},
        {"name": "into", "valueReference": {"reference": "ServiceRequest/1"}},
        {"name": "action", "part": [{"name": "due", "valueDateTime": "2026-03-02T12:00:00Z"}]},
        {"name": "action", "part": []},
        {"name": "answers", "resource": {"resourceType": "Observation"}},
        {"name": "consent", "resource": {"resourceType": "Consent"}},
    ]
    parameters.check(given, DECLARED, urls=URLS)
    there = {"reference": "https://clinic.example/referral/fhir/ServiceRequest/1"}
    parameters.check([{"name": "into", "valueReference": there}], DECLARED, urls=URLS)


def test_all_that_is_wrong_is_said_where_it_stands() -> None:
    found = problems(
        {"name": "reason", "valueInteger": 3},
        {"name": "program", "valueCode": "rapid-access"},
        {"name": "programme", "valueCodeableConcept": {"text": "rapid access"}},
        {
            "name": "action",
            "part": [{"name": "due", "valueBoolean": True}, {"name": "how", "valueString": "x"}],
        },
    )
    assert found == {
        "Parameters.parameter.where(name='reason')": "this parameter has a valueString, not valueInteger",
        "Parameters.parameter.where(name='program')": (
            "there is no such parameter here; there are: reason, programme, into, action, answers"
        ),
        "Parameters.parameter.where(name='programme')": (
            "this parameter has a valueCode, not valueCodeableConcept"
        ),
        "Parameters.parameter.where(name='action').part.where(name='due')": (
            "this parameter has a valueDate, not valueBoolean"
        ),
        "Parameters.parameter.where(name='action').part.where(name='how')": (
            "there is no such parameter here; there are: due"
        ),
    }


def test_what_comes_once_does_not_come_twice() -> None:
    twice = {"name": "reason", "valueString": "Because"}
    assert list(problems(twice, twice).values()) == ["this parameter comes once"]


@pytest.mark.parametrize(
    "reference", ["Patient/1", "https://elsewhere.example/fhir/ServiceRequest/1", "urn:uuid:1", "#1", ""]
)
def test_a_reference_names_a_resource_of_the_declared_type_and_of_this_clinic(reference: str) -> None:
    given = {"name": "into", "valueReference": {"reference": reference}}
    assert list(problems(given).values()) == ["this refers to a ServiceRequest of this clinic"]


@pytest.mark.parametrize("given", [{"name": "reason"}, {"name": "answers", "valueString": "x"}])
def test_a_parameter_without_its_value_is_refused(given: dict[str, Any]) -> None:
    assert len(problems(given)) == 1


def names(query: str, *known: str, **more: Any) -> dict[str, str]:
    with pytest.raises(UnknownParameter) as refused:
        parameters.check_names(QueryParams(query), known, **more)
    return {str(problem.expression): problem.text for problem in refused.value.problems}


def test_a_query_is_refused_with_all_names_that_are_unknown_or_come_twice_and_what_is_allowed() -> None:
    assert names("kind=a&colour=red&kind=b&_count=1", "kind", "_count") == {
        "kind": "this parameter comes once",
        "colour": "there is no such parameter here; there are: kind, _count",
    }
    assert names("colour=red") == {"colour": "there is no such parameter here; there are: none"}


def test_a_name_of_a_query_may_come_twice_only_where_the_route_says_so() -> None:
    parameters.check_names(QueryParams("due=ge1&due=lt2&kind=a"), ("due", "kind"), repeatable=("due",))
    assert names("due=ge1&due=lt2&kind=a&kind=b", "due", "kind", repeatable=("due",)).keys() == {"kind"}


def test_an_operation_called_by_get_reads_each_declared_name_once_however_it_comes() -> None:
    declared = DECLARED[:2]
    query = "reason=why&_format=json&_format=xml"
    assert parameters.of_query(QueryParams(query), declared)["reason"] == "why"
    for wrong in ("reason=why&reason=how", "colour=red"):
        with pytest.raises(UnknownParameter):
            parameters.of_query(QueryParams(wrong), declared)
