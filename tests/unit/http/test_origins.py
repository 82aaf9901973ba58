"""A form counts only where the browser says that a page of our origin sent it."""

import pytest
from starlette.datastructures import Headers

from shared.http.origins import is_of_our_origin

BASE = "https://clinic.example"


@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "cross-site", "origin": BASE}, False),
        ({"origin": BASE}, True),
        ({"origin": "https://clinic.example.evil"}, False),
        ({"origin": "http://clinic.example"}, False),
        ({"origin": "null"}, False),
        ({}, False),
    ],
)
def test_the_newer_header_decides_then_the_older_and_silence_is_no_proof(
    headers: dict[str, str], is_ours: bool
) -> None:
    assert is_of_our_origin(Headers(headers), base_url=BASE) is is_ours


def test_an_address_with_a_path_has_the_origin_of_its_host() -> None:
    assert is_of_our_origin(Headers({"origin": BASE}), base_url=f"{BASE}/lumbar/")
