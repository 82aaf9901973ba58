"""On every transport: a record that is no event of ours is held with its error and blocks nobody else."""

from collections.abc import Mapping

import pytest

from shared.events.inbox import dead_letters
from tests.support.events import NOON, count, effects
from tests.support.eventually import eventually
from tests.support.transports import GROUP, WITHIN, WORKING, Wire, drain, until_held

GOOD = {
    "ce_specversion": "1.0",
    "ce_id": "e1",
    "ce_type": "toy.claimed",
    "ce_source": "https://example.org/referral",
    "ce_subject": "Basic/1",
    "ce_time": NOON.isoformat(),
    "ce_version": "1",
}
BUNDLE = (
    b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"MessageHeader"}},'
    b'{"resource":{"resourceType":"Basic","id":"1"}}]}'
)
BAD: Mapping[str, tuple[str, Mapping[str, str], bytes]] = {
    "no JSON": ("b1", GOOD, b"no json"),
    "JSON, but no Bundle": ("b2", GOOD, b"[1]"),
    "nothing at all": ("", {}, b""),
    "no key": ("", GOOD, BUNDLE),
    "no headers": ("b5", {}, BUNDLE),
    "another CloudEvents": ("b6", GOOD | {"ce_specversion": "0.3"}, BUNDLE),
    "version 0": ("b7", GOOD | {"ce_version": "0"}, BUNDLE),
    "version x": ("b8", GOOD | {"ce_version": "x"}, BUNDLE),
    "a time without a zone": ("b9", GOOD | {"ce_time": "2026-03-02T12:00:00"}, BUNDLE),
    "a header without a type": ("b9h", GOOD | {"ce_id": "b9h"}, BUNDLE.replace(b'"MessageHeader"', b"7")),
    "no id": ("b10", GOOD | {"ce_id": ""}, BUNDLE),
    "an id of 5,000 characters": ("b11", GOOD | {"ce_id": "x" * 5000}, BUNDLE),
    "a key of 5,000 characters": ("x" * 5000, GOOD, BUNDLE),
    "100,000 levels": ("b13", GOOD, b"[" * 100_000 + b"]" * 100_000),
    "5 MB": ("b14", GOOD, BUNDLE[:-1] + b',"text":"' + b"x" * 5_000_000 + b'"}'),
}


async def test_bad_events_are_held_with_their_error_and_nobody_else_waits(wire: Wire) -> None:
    for number, (key, headers, value) in enumerate(BAD.values()):
        known = {"ce_id": f"bad-{number}"} if headers.get("ce_id") == "e1" else {}
        await wire.put(key=key, headers={**headers, **known}, value=value)
    await wire.publish("p2", times=2)
    consumer = wire.owner(WORKING)

    await drain(wire, consumer, expected=2)
    dead = await until_held(wire, consumer, events=len(BAD))

    assert {key for _, key, _ in await effects(wire.consumer)} == {"p2"}
    assert {one.state for one in dead} == {"dead"}
    assert {one.error.partition(" ")[0] for one in dead} == {"MalformedEvent"}
    shown = [
        await dead_letters.show(wire.consumer, group=GROUP, key=one.key, with_resources=True) for one in dead
    ]
    held = sorted(event.value for events in shown for event in events)
    assert held == sorted(value for _, _, value in BAD.values())
    await eventually(lambda: _all_read(wire), within=WITHIN)


async def test_the_same_record_mended_is_an_event(wire: Wire) -> None:
    await wire.put(key="p1", headers=GOOD, value=BUNDLE)
    await drain(wire, wire.owner(WORKING), expected=1)
    assert await effects(wire.consumer) == [("e1", "p1", 1)]


async def test_a_type_that_nobody_knows_yet_is_skipped_and_counted(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[tuple[str, int]] = []
    monkeypatch.setattr(
        "shared.events.counters.handled",
        lambda group, outcome, arrivals: counted.append((outcome, len(arrivals))) if arrivals else None,
    )
    await wire.put(key="p1", headers=GOOD | {"ce_type": "referral.read-aloud.v2"}, value=BUNDLE)
    await wire.put(key="p1", headers=GOOD | {"ce_id": "e2"}, value=BUNDLE)
    await drain(wire, wire.owner(WORKING), expected=1)

    assert [event_id for event_id, _, _ in await effects(wire.consumer)] == ["e2"]
    assert sorted(counted) == [("done", 1), ("unknown", 1)]
    assert await count(wire.consumer, "held_event") == 0
    await eventually(lambda: _all_read(wire), within=WITHIN)


async def _all_read(wire: Wire) -> bool:
    return await wire.lag() == 0
