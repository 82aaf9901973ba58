"""The outbox: a queue, never a cursor.

Invariants:
- `publish` only inserts, in the caller's transaction, next to the row that caused the event. It never sends.
- The aggregate's row was inserted in this transaction or is locked FOR UPDATE, so that id order in the outbox
  is version order per aggregate: an earlier version is always committed before a later one.
- `version` is dense: 1, 2, 3 for each aggregate; two events of one command get two versions.
- The order of calls in a transaction is the order of rows, and so the order of sending.
- No event is published that a consumer would refuse for its size.
- A row leaves the outbox only after the transport has it for good (`shared/events/outbox/relay.py`).
"""

from collections.abc import Mapping, Sequence

from shared.clock import machine_now
from shared.context import Context
from shared.db import AggregateRow, Transaction, Write
from shared.errors import TooLarge
from shared.events.catalog import EventType
from shared.events.envelope import Event
from shared.events.message import LARGEST_VALUE, Head, Resource, head, message
from shared.events.topics import TOPICS
from shared.fhir.codes import LUMBAR
from shared.ids import made_at, new_text_id
from shared.telemetry.tracing import current_traceparent

ROW = Write.into(
    "outbox",
    {
        "event_id": "text",
        "topic": "text",
        "key": "text",
        "headers": "jsonb",
        "value": "bytea",
        "machine_at": "timestamptz",
    },
    in_order=True,
)


class EventTooLarge(TooLarge):
    """What is to be told would be an event that no consumer takes: said to who asks, not held later on."""


def publish(
    tx: Transaction,
    event_type: EventType,
    *,
    of: AggregateRow,
    key: str,
    focus: Resource,
    carries: Sequence[Resource] = (),
    ctx: Context,
) -> str:
    """Put an event into the outbox and give its id; the aggregate `of` gets its next event version.

    `key` is the patient's id (the aggregate's own id for a type keyed by its aggregate), `focus` and
    `carries` are FHIR resources as dicts or as the bytes they are stored in. Raises ValueError when the focus
    or a carried resource is not of a type that the catalog names, EventTooLarge before anything is written.
    """
    resources = [(head(resource), resource) for resource in (focus, *carries)]
    _check(event_type, [name.type for name, _ in resources], key=key)
    source = f"{LUMBAR}/{TOPICS[event_type.topic].publisher}"
    event_id = new_text_id()
    value = message(
        event_id=event_id, event_type=event_type.name, source=source, at=ctx.at, resources=resources
    )
    if len(value) > LARGEST_VALUE:
        text = f"{event_type.name} would be of {len(value)} bytes, and an event takes {LARGEST_VALUE}"
        raise EventTooLarge(text)
    tx.add(of)
    of.event_version += 1
    event = Event(
        id=event_id,
        type=event_type.name,
        source=source,
        subject=_subject(of, resources[0][0]),
        time=ctx.at,
        key=key,
        version=of.event_version,
        traceparent=current_traceparent(sampled_only=False),
        causation=ctx.cause,
        # A request has a caller, and the cause of a timer is no id.
        caused_by_event=ctx.principal is None and made_at(ctx.cause or "") is not None,
        value=value,
    )
    put(tx, topic=event_type.topic, key=key, event_id=event_id, headers=event.headers(), value=value)
    return event_id


def put(
    tx: Transaction, *, topic: str, key: str, event_id: str, headers: Mapping[str, str], value: bytes
) -> None:
    """Put a finished record into the outbox; for a log that only its own service reads, such as the feed.

    Everything that another service consumes goes through `publish`. `event_id` must be new in this outbox.
    """
    tx.write(ROW, event_id, topic, key, dict(headers), value, machine_now())
    tx.after_commit("wake relay", lambda: tx.database.wake_relay())


def _check(event_type: EventType, types: list[str], *, key: str) -> None:
    if not key:
        raise ValueError(f"{event_type.name} needs a key")
    if types[0] != event_type.focus:
        raise ValueError(f"{event_type.name} is about a {event_type.focus}, not a {types[0]}")
    for carried in types[1:]:
        if carried not in event_type.carries:
            allowed = ", ".join(event_type.carries) or "nothing"
            raise ValueError(f"{event_type.name} carries {allowed}, not a {carried}")


def _subject(of: AggregateRow, focus: Head) -> str:
    """Name the aggregate as FHIR does where the event is about it, else by its row."""
    return focus.reference if focus.id == str(of.id) else f"{type(of).__name__}/{of.id}"
