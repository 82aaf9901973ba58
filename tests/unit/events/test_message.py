"""The message Bundle of an event, and the event on the wire."""

import json
from datetime import UTC, datetime

import pytest
from fhir.resources.R4B.bundle import Bundle

from shared.db.models import Aggregate
from shared.events.catalog import referral
from shared.events.envelope import Event
from shared.events.inbox.incoming import IncomingRecord
from shared.events.message import head, message
from shared.events.outbox import publishing
from shared.events.transport.base import Record
from tests.support.context import a_context

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CONTEXT = a_context(at=NOON, cause=None)
REQUEST = {"resourceType": "ServiceRequest", "id": "r1", "status": "active", "intent": "order"}
RECEIVED = b'{"resourceType":"Claim","id":"c1","total":{"value":250.50}}'


def built(*resources: dict[str, str] | bytes) -> bytes:
    return message(
        event_id="e1",
        event_type="referral.received",
        source="https://lumbar.care/fhir/referral",
        at=NOON,
        resources=[(head(resource), resource) for resource in resources],
    )


def an_event() -> Event:
    return Event(
        id="e1",
        type="referral.received",
        source="https://lumbar.care/fhir/referral",
        subject="ServiceRequest/r1",
        time=NOON,
        key="p1",
        version=1,
        value=built(REQUEST),
    )


def test_the_header_comes_first_and_names_the_focus() -> None:
    bundle = json.loads(built(REQUEST, RECEIVED))
    header = bundle["entry"][0]["resource"]
    assert bundle["type"] == "message"
    assert header["resourceType"] == "MessageHeader"
    assert header["eventCoding"]["code"] == "referral.received"
    assert header["focus"] == [{"reference": "ServiceRequest/r1"}]
    assert [entry["resource"]["resourceType"] for entry in bundle["entry"][1:]] == ["ServiceRequest", "Claim"]


def test_bytes_are_carried_as_they_are() -> None:
    assert RECEIVED in built(REQUEST, RECEIVED)


def test_the_message_is_a_bundle_of_r4b() -> None:
    request = REQUEST | {"subject": {"reference": "Patient/p1"}}
    Bundle.model_validate_json(built(request))  # type: ignore[arg-type]


@pytest.mark.parametrize("resource", [{}, {"resourceType": "Task"}, b"[]", b"no json"])
def test_a_resource_without_type_or_id_is_refused(resource: dict[str, str] | bytes) -> None:
    with pytest.raises(ValueError, match=r"resourceType|id"):
        head(resource)


def test_an_event_reads_back_as_it_was_written() -> None:
    event = an_event()
    assert Event.from_wire(key=event.key, headers=event.headers(), value=event.value) == event


@pytest.mark.parametrize(
    "change",
    [
        {"headers": {"ce_id": "e1"}},
        {"headers": an_event().headers() | {"ce_version": "one"}},
        {"headers": an_event().headers() | {"ce_version": "0"}},
        {"headers": an_event().headers() | {"ce_time": "noon"}},
        {"headers": an_event().headers() | {"ce_specversion": "2.0"}},
        {"value": b"no json"},
        {"value": b"[]"},
        {"value": b"{}"},
        {"headers": an_event().headers() | {"ce_time": "2026-03-02T12:00:00"}},
        {"value": b'{"entry": 5}'},
        {"value": b'{"entry": [{}]}'},
        {"value": b'{"entry": [{}, {"resource": 7}]}'},
        {"value": b'{"entry": [1, 2]}'},
        {"key": ""},
    ],
)
def test_a_malformed_record_is_known_as_one_and_can_be_held(change: dict[str, object]) -> None:
    event = an_event()
    record: dict[str, object] = {"key": event.key, "headers": event.headers(), "value": event.value} | change
    arrival = IncomingRecord(Record(topic="t", partition=0, offset=7, **record))  # type: ignore[arg-type]
    assert arrival.malformed
    assert arrival.key
    assert arrival.id


def test_a_well_formed_record_is_not_malformed() -> None:
    event = an_event()
    record = Record(topic="t", partition=0, offset=7, key="p1", headers=event.headers(), value=event.value)
    assert not IncomingRecord(record).malformed


def test_nothing_of_a_resource_stands_in_what_is_printed_of_an_event() -> None:
    event = an_event()
    assert "ServiceRequest" not in repr(event).replace("ServiceRequest/r1", "")


class Unsaved:
    """A transaction that keeps nothing: a refused event must not reach it."""


async def test_an_event_about_another_type_than_the_catalogs_is_refused() -> None:
    with pytest.raises(ValueError, match="is about a ServiceRequest, not a Task"):
        await publish_received({"resourceType": "Task", "id": "t1"})


async def test_an_event_carries_only_what_the_catalog_names() -> None:
    with pytest.raises(ValueError, match=r"referral\.received carries .*, not a Claim"):
        await publish_received(REQUEST, {"resourceType": "Claim", "id": "c1"})


async def publish_received(*resources: dict[str, str]) -> None:
    row = Aggregate()
    event = referral.ReferralReceived(patient_id="p1", referral_id="r1", resources=resources)
    try:
        await publishing.publish(CONTEXT, Unsaved(), row, event)  # type: ignore[arg-type]
    finally:
        assert row.event_version == 0
