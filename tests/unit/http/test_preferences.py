"""What a caller prefers, read from its headers; who takes no JSON is refused."""

import pytest
from starlette.datastructures import Headers, QueryParams

from shared.http.errors import NotAcceptable
from shared.http.preferences import Preferences, check_acceptable, preferences

TAKEN = [
    "",
    "*/*",
    "application/*",
    "application/json",
    "application/fhir+json",
    "application/fhir+json; fhirVersion=4.3",
    "APPLICATION/FHIR+JSON;charset=utf-8",
    "application/json+fhir",
    "text/json",
    "application/fhir+xml;q=1.0, application/fhir+json;q=1.0, application/xml+fhir;q=0.9",
    "application/fhir+xml, application/fhir+json;q=0.1",
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
]
REFUSED = [
    "application/fhir+xml",
    "application/xml",
    "text/html",
    "application/fhir+turtle, application/fhir+xml;q=0.5",
    "application/fhir+json;q=0, application/fhir+xml",
    "application/fhir+json;q=0.000",
    "nonsense",
]


@pytest.mark.parametrize("accept", TAKEN)
def test_who_takes_json_gets_it(accept: str) -> None:
    check_acceptable(Headers({"accept": accept}), QueryParams(""))


@pytest.mark.parametrize("accept", REFUSED)
def test_who_takes_none_is_refused(accept: str) -> None:
    with pytest.raises(NotAcceptable):
        check_acceptable(Headers({"accept": accept}), QueryParams(""))


@pytest.mark.parametrize(
    "asked", ["json", "application/json", "application/fhir%2Bjson", "application/fhir+json", "text/json"]
)
def test_a_format_goes_before_accept(asked: str) -> None:
    check_acceptable(Headers({"accept": "application/fhir+xml"}), QueryParams(f"_format={asked}"))


@pytest.mark.parametrize("asked", ["xml", "application/fhir+xml", "ttl", "html", "html/json", "jsonp"])
def test_another_format_is_refused(asked: str) -> None:
    with pytest.raises(NotAcceptable) as refused:
        check_acceptable(Headers({"accept": "*/*"}), QueryParams(f"_format={asked}"))
    assert refused.value.problems[0].expression == "_format"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ([], Preferences()),
        (["return=minimal"], Preferences(returns="minimal")),
        (["return=OperationOutcome"], Preferences(returns="OperationOutcome")),
        (['return="representation"'], Preferences()),
        (["handling=lenient"], Preferences(lenient=True)),
        (["handling=strict, return=minimal"], Preferences(returns="minimal")),
        (["return=minimal; handling=lenient"], Preferences(lenient=True, returns="minimal")),
        (["return=minimal", "Handling = Lenient"], Preferences(lenient=True, returns="minimal")),
        (["respond-async, return=everything, handling=soft"], Preferences()),
        (["return=minimal, return=representation"], Preferences(returns="minimal")),
    ],
)
def test_preferences_are_read_as_rfc_7240_writes_them(sent: list[str], expected: Preferences) -> None:
    headers = Headers(raw=[(b"prefer", text.encode()) for text in sent])
    assert preferences(headers) == expected
