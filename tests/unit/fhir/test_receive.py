"""Receiving a body: what comes out of the border."""

import json

import pytest

from shared.errors import Invalid, Malformed, TooLarge
from shared.fhir import check
from tests.unit.fhir.seeds import BUNDLE, URN


async def test_a_resource_comes_out_with_its_own_bytes() -> None:
    body = b'{ "resourceType" : "Patient", "multipleBirthInteger": 2 }'
    received = await check.receive(body)
    assert (received.resource_type, received.raw, received.entries) == ("Patient", body, ())
    assert received.data["multipleBirthInteger"] == 2


async def test_the_bytes_of_each_entry_are_cut_from_the_bundle() -> None:
    coin = b'{"resourceType":"Patient","extension":[{"url":"u","valueDecimal":250.50 }] }'
    body = (
        b'{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"%s1","resource":%s,"request":'
        b'{"method":"POST","url":"Patient","ifNoneExist":"identifier=1"}},{"request":{"method":"GET","url":"Task/1"}}]}'
    ) % (URN.encode(), coin)
    first, second = (await check.receive(body)).entries
    assert first.resource is not None
    assert (first.resource.raw, first.resource.resource_type) == (coin, "Patient")
    assert (first.index, first.full_url, first.method, first.url, first.if_none_exist) == (
        0,
        f"{URN}1",
        "POST",
        "Patient",
        "identifier=1",
    )
    assert (second.resource, second.method, second.full_url) == (None, "GET", None)


async def test_what_came_in_shows_its_type_and_nothing_of_a_person() -> None:
    received = await check.receive(b'{"resourceType":"Patient","name":[{"family":"Featherstone"}]}')
    assert repr(received) == "Received(Patient)"


async def test_a_byte_order_mark_does_not_come_in() -> None:
    assert (
        await check.receive(b'\xef\xbb\xbf{"resourceType":"Patient"}')
    ).raw == b'{"resourceType":"Patient"}'


async def test_a_type_that_the_door_does_not_take_is_invalid() -> None:
    with pytest.raises(Invalid, match="Bundle, Task"):
        await check.receive(b'{"resourceType":"Patient"}', allowed=["Task", "Bundle"])


async def test_each_kind_of_refusal_has_its_class() -> None:
    with pytest.raises(Malformed):
        await check.receive(b"{")
    with pytest.raises(TooLarge):
        await check.receive(b" " * (check.MAX_BYTES + 1))
    with pytest.raises(Invalid):
        await check.receive(b'{"resourceType":"Patient","gender":"x"}')


async def test_a_bundle_of_another_patients_attachment_is_refused_naming_the_entry() -> None:
    bundle = json.loads(json.dumps(BUNDLE))
    bundle["entry"][1]["resource"]["subject"]["reference"] = "Patient/another"
    with pytest.raises(Invalid) as refused:
        await check.receive(json.dumps(bundle).encode())
    assert [problem.expression for problem in refused.value.problems] == ["Bundle.entry[1].resource.subject"]
