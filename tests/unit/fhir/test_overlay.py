"""Laying what is ours over a received resource keeps every other byte."""

from shared.fhir.store import overlaid


def test_decimals_keep_their_digits() -> None:
    body = b'{"resourceType":"Observation","valueQuantity":{"value":250.50,"low":0.1234567890123456789}}'
    assert overlaid(body, {"id": "a"}) == (
        b'{"resourceType":"Observation","valueQuantity":{"value":250.50,"low":0.1234567890123456789},"id":"a"}'
    )


def test_a_member_keeps_its_place_and_a_new_one_comes_last() -> None:
    body = b'{"status":"draft","id":"theirs","note":[ {"text":"x"} ]}'
    assert overlaid(body, {"id": "ours", "subject": {"reference": "Patient/1"}}) == (
        b'{"status":"draft","id":"ours","note":[ {"text":"x"} ],"subject":{"reference":"Patient/1"}}'
    )


def test_none_removes_a_member() -> None:
    assert overlaid(b'{"a":1,"b":2}', {"a": None, "c": None}) == b'{"b":2}'


def test_escapes_and_other_alphabets_stay() -> None:
    body = '{"text":"\\u00e9 é \\"x\\"","id":"1"}'.encode()
    assert overlaid(body, {"id": "2"}) == '{"text":"\\u00e9 é \\"x\\"","id":"2"}'.encode()
