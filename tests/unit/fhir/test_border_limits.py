"""Step 1: hostile bodies are refused at once, whatever they are."""

import time

import pytest

from shared.errors import Malformed, Refusal, TooLarge
from shared.fhir.check import limits

PATIENT = b'{"resourceType":"Patient"%s}'


def refused(body: bytes) -> Refusal:
    """Give the refusal of a body."""
    with pytest.raises(Refusal) as caught:
        limits.decoded(body)
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"[]",
        b"null",
        b'"Patient"',
        b"{}",
        b'{"resourceType":"Chicken"}',
        b'{"resourceType":1}',
        b'{"resourceType":["Patient"]}',
        PATIENT % b',"x":NaN',
        PATIENT % b',"x":Infinity',
        PATIENT % b',"x":1e999',
        PATIENT % b',"x":01',
        PATIENT % b",",
        PATIENT % b"/* note */",
        PATIENT % b',"x":"\xff"',
        PATIENT % b',"x":"\xed\xa0\x80"',
        PATIENT % b',"x":"\\ud800"',
        PATIENT % b',"x":"\x01"',
        PATIENT % b"" + b" {}",
        b"{'resourceType':'Patient'}",
        '{"resourceType":"Patient"}'.encode("utf-16"),
    ],
)
def test_what_is_no_fhir_json_is_malformed(body: bytes) -> None:
    assert isinstance(refused(body), Malformed)


@pytest.mark.parametrize(
    "more", [b',"active":true,"active":true', b',"name":[{"text":"a","te\\u0078t":"b"}]', b',"":1,"":2']
)
def test_a_member_twice_is_malformed(more: bytes) -> None:
    assert "twice" in str(refused(PATIENT % more))


def test_a_member_of_the_same_name_in_two_objects_is_fine() -> None:
    assert limits.decoded(PATIENT % b',"name":[{"text":"a"},{"text":"b"}]')


def test_depth_64_is_the_last_that_is_taken() -> None:
    assert limits.decoded(PATIENT % (b',"x":' + b"[" * 63 + b"]" * 63))
    assert "deeper" in str(refused(PATIENT % (b',"x":' + b"[" * 64 + b"]" * 64)))


def test_brackets_in_a_text_are_no_depth() -> None:
    assert limits.decoded(PATIENT % (b',"x":"' + b"[" * 1000 + b'"'))


def test_size_and_entries_have_their_limits() -> None:
    assert isinstance(refused(PATIENT % (b',"x":"' + b"a" * limits.MAX_BYTES + b'"')), TooLarge)
    entries = b",".join([b"{}"] * 201)
    assert isinstance(refused(b'{"resourceType":"Bundle","entry":[%s]}' % entries), TooLarge)
    assert limits.decoded(b'{"resourceType":"Bundle","entry":[%s]}' % entries[3:])


def test_a_byte_order_mark_is_ignored() -> None:
    assert limits.without_mark(b"\xef\xbb\xbf{}") == b"{}"


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b"[" * limits.MAX_BYTES,
        b'{"a":' * 200_000,
        PATIENT % (b',"x":' + b"[" * 100_000 + b"]" * 100_000),
        PATIENT % (b',"x":[' + b"[]," * 340_000 + b"[]]"),
        PATIENT % (b',"x":"' + b'\\"' * 500_000),
        PATIENT % (b',"x":[' + b'{"a":1,"b":"xx"},' * 61_000 + b'{"a":1,"a":2}]'),
        PATIENT % (b',"x":[' + b"1," * 500_000 + b'1],"x":1'),
        PATIENT % b'"' + b"\xff" * 1_000_000,
        b"x" * (limits.MAX_BYTES + 1),
        b'"' * 1_000_000,
    ],
    ids=lambda body: body[:30].decode(errors="replace"),
)
def test_a_hostile_body_is_refused_within_100_ms(body: bytes) -> None:
    limits.decoded(PATIENT % b"")
    started = time.process_time()
    refused(body)
    assert time.process_time() - started < 0.1
