"""When two elements are the same."""

import pytest

from shared.fhir.elements import same
from shared.urls import Urls

URLS = Urls(base="https://clinic.test", service="careteam", former=("http://127.0.0.1:8080",))
STORED = [{"actor": {"reference": "Practitioner/ana"}, "status": "accepted"}]


@pytest.mark.parametrize(
    "reference",
    [
        "Practitioner/ana",
        "https://clinic.test/careteam/fhir/Practitioner/ana",
        "http://127.0.0.1:8080/careteam/fhir/Practitioner/ana",
        "Practitioner/ana/_history/2",
    ],
)
def test_a_reference_is_the_same_in_each_of_its_forms(reference: str) -> None:
    assert same(STORED, [{"actor": {"reference": reference}, "status": "accepted"}], urls=URLS)


@pytest.mark.parametrize(
    "sent",
    [
        [{"actor": {"reference": "Practitioner/ben"}, "status": "accepted"}],
        [{"actor": {"reference": "Location/ana"}, "status": "accepted"}],
        [{"actor": {"reference": "https://other.test/fhir/Practitioner/ana"}, "status": "accepted"}],
        [{"actor": {"reference": "Practitioner/ana"}}],
        [{"actor": {"reference": "Practitioner/ana"}, "status": "accepted", "required": "required"}],
        [*STORED, *STORED],
        None,
    ],
)
def test_another_target_another_member_or_another_number_is_a_difference(sent: object) -> None:
    assert not same(STORED, sent, urls=URLS)


def test_a_reference_to_another_server_is_the_same_as_it_was_written() -> None:
    theirs = {"reference": "https://other.test/fhir/Patient/1"}
    assert same(theirs, dict(theirs), urls=URLS)
    assert not same({"reference": "Patient/1"}, theirs, urls=URLS)
