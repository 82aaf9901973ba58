"""Which addresses are the clinic's own, and what becomes of those of before."""

import pytest

from shared.urls import Urls

URLS = Urls(
    base="https://clinic.example", service="referral", former=("http://127.0.0.1:8080", "https://old.ca")
)


@pytest.mark.parametrize(
    "address", ["https://clinic.example/referral/fhir/", "http://127.0.0.1:8080/careteam/fhir/"]
)
def test_its_own_of_now_and_of_before(address: str) -> None:
    assert URLS.owns(address)


@pytest.mark.parametrize(
    "address",
    [
        "https://clinic.example.org/referral/fhir/",
        "https://clinic.example",
        "http://clinic.example/referral/fhir/",
        "http://127.0.0.1:80801/referral/fhir/",
        "https://other.example/https://clinic.example/referral/fhir/",
    ],
)
def test_and_no_other_servers(address: str) -> None:
    assert not URLS.owns(address)


def test_an_address_of_before_becomes_that_of_now() -> None:
    body = b'{"reference":"http://127.0.0.1:8080/referral/fhir/Patient/1","url":"https://old.ca/careteam/fhir/Task/2"}'
    assert URLS.up_to_date(body) == (
        b'{"reference":"https://clinic.example/referral/fhir/Patient/1",'
        b'"url":"https://clinic.example/careteam/fhir/Task/2"}'
    )


@pytest.mark.parametrize(
    "body",
    [
        b'{"text":"see http://127.0.0.1:8080/referral/fhir/Patient/1"}',
        b'{"reference":"http://127.0.0.1:80801/referral/fhir/Patient/1"}',
        b'{"reference":"https://other.example/referral/fhir/Patient/1"}',
        b'{"url":"https://old.ca/elsewhere/Patient/1"}',
        b'{"url":"https://oldXca/referral/fhir/Patient/1"}',
    ],
)
def test_nothing_else_is_written_anew(body: bytes) -> None:
    assert URLS.up_to_date(body) == body
