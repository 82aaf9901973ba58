"""Bad events: each is held with its error and blocks nobody else; a newer type is skipped and counted."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.events.envelope import Event
from shared.events.inbox import dead_letters
from shared.events.topics import REFERRAL
from shared.events.transport import event_log
from shared.events.transport.base import OutboxRow
from shared.ids import new_text_id
from shared.telemetry.registry import REGISTRY
from tests.conftest import MakeDatabase
from tests.support.events import effects, record
from tests.support.wire import GROUP, EmbeddedWire

TABLE_TYPE = "toy.claimed"
LARGE = 5 * 1024 * 1024
MONDAY = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)


def good(key: str, *, event_type: str = TABLE_TYPE) -> OutboxRow:
    """Make an event that is all right."""
    focus = {"resourceType": "Basic", "id": "1"}
    entry = [{"resource": {"resourceType": "MessageHeader"}}, {"resource": focus}]
    event = Event(
        id=new_text_id(),
        type=event_type,
        source="lumbar/referral",
        subject="Basic/1",
        time=MONDAY,
        key=key,
        version=1,
        value=json.dumps({"resourceType": "Bundle", "type": "message", "entry": entry}).encode(),
    )
    return OutboxRow(
        id=0, event_id=event.id, topic=REFERRAL, key=key, headers=event.headers(), value=event.value
    )


def without(row: OutboxRow, *names: str, **other: str) -> OutboxRow:
    """Give the event without some headers, and with others as given (`ce_` before the name)."""
    kept = {name: text for name, text in row.headers.items() if name not in names}
    return replace(row, headers=kept | {f"ce_{name}": text for name, text in other.items()})


def bad(kind: str) -> OutboxRow:
    """Make an event that is wrong in one way, of a patient of its own."""
    row = good(f"patient of {kind}")
    return {
        "no JSON": lambda: replace(row, value=b"<Bundle/>"),
        "no bytes": lambda: replace(row, value=b""),
        "no Bundle": lambda: replace(row, value=b"[]"),
        "5 MB of nothing": lambda: replace(row, value=b" " * LARGE),
        "5 MB of JSON": lambda: replace(row, value=b'{"entry":["' + b"x" * LARGE + b'"]}'),
        "no focus": lambda: replace(row, value=b'{"resourceType":"Bundle","entry":[{"resource":{}}]}'),
        "another CloudEvents": lambda: without(row, specversion="2.0"),
        "a version that is no number": lambda: without(row, version="second"),
        "a version below 1": lambda: without(row, version="0"),
        "a time without a zone": lambda: without(row, time="2026-03-02T13:00:00"),
        "no id": lambda: without(row, "ce_id"),
        "no type": lambda: without(row, "ce_type"),
        "no patient": lambda: replace(row, key=""),
        "no headers": lambda: replace(row, headers={}),
    }[kind]()


KINDS = (
    "no JSON",
    "no bytes",
    "no Bundle",
    "5 MB of nothing",
    "5 MB of JSON",
    "no focus",
    "another CloudEvents",
    "a version that is no number",
    "a version below 1",
    "a time without a zone",
    "no id",
    "no type",
    "no patient",
    "no headers",
)


async def append(wire: EmbeddedWire, *rows: OutboxRow) -> None:
    async with wire.publisher.transaction() as tx:
        await event_log.append_all(tx, rows)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_bad_event_is_held_with_its_error_and_nobody_else_waits(
    make_database: MakeDatabase, kind: str
) -> None:
    wire = await EmbeddedWire.make(make_database)
    before, after = good("p1"), good("p2")
    await append(wire, before, bad(kind), after)
    consumer = wire.owner({TABLE_TYPE: record})

    await consumer.step()

    assert [event_id for event_id, _, _ in await effects(wire.consumer)] == [before.event_id, after.event_id]
    (key,) = await dead_letters.list_keys(wire.consumer)
    assert (key.state, key.events) == ("dead", 1)
    assert key.error.startswith("MalformedEvent")
    (shown,) = await dead_letters.show(wire.consumer, group=GROUP, key=key.key, with_resources=True)
    assert shown.value == bad(kind).value


async def test_all_of_them_at_once_are_held_and_the_next_batch_is_read(make_database: MakeDatabase) -> None:
    wire = await EmbeddedWire.make(make_database)
    last = good("p1")
    await append(wire, *(bad(kind) for kind in KINDS))
    consumer = wire.owner({TABLE_TYPE: record})
    await consumer.step()
    await append(wire, last)
    await consumer.step()
    assert [event_id for event_id, _, _ in await effects(wire.consumer)] == [last.event_id]
    assert len(await dead_letters.list_keys(wire.consumer, only_dead=True)) == len(KINDS)


async def test_a_newer_type_is_skipped_and_counted_and_its_patient_does_not_wait(
    make_database: MakeDatabase,
) -> None:
    wire = await EmbeddedWire.make(make_database)
    known = good("p1")
    await append(wire, good("p1", event_type="referral.teleported.v2"), known)
    skipped = _skipped()

    await wire.owner({TABLE_TYPE: record}).step()

    assert _skipped() == skipped + 1
    assert [event_id for event_id, _, _ in await effects(wire.consumer)] == [known.event_id]
    assert await dead_letters.list_keys(wire.consumer) == []


def _skipped() -> float:
    wanted = {"event_type": "other", "outcome": "unknown", "service": GROUP}
    return REGISTRY.get_sample_value("lumbar_events_handled_total", wanted) or 0.0
