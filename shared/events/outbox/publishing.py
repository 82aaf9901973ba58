"""The outbox: a queue, never a cursor.

Invariants:
- `publish` only inserts, in the caller's transaction, next to the row that caused the event. It never sends.
- The aggregate's row is inserted in this transaction or is locked FOR UPDATE, so that id order in the outbox
  is version order per aggregate: an earlier version is always committed before a later one.
- `version` is dense: 1, 2, 3 for each aggregate; two events of one command get two versions.
- No event is older than the one before of its aggregate, nor than the version that it is about.
- The order of calls in a transaction is the order of rows, and so the order of sending.
- No event is published that a consumer would refuse for its size.
- A row leaves the outbox only after the transport has it for good (`shared/events/outbox/relay.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import AwareDatetime
from sqlmodel import SQLModel

from shared.clock import machine_now
from shared.context import Context
from shared.db import Outrun, Transaction
from shared.db.models import Aggregate, Resource, SharedRow, table_of
from shared.errors import TooLarge
from shared.events.catalog import DomainEvent
from shared.events.envelope import Event
from shared.events.message import LARGEST_VALUE, Head, head
from shared.events.topics import TOPICS
from shared.fhir.codes import LUMBAR
from shared.ids import made_at, new_text_id
from shared.telemetry.tracing import current_traceparent


class OutgoingEvent(SharedRow):
    """An event in the outbox; its id there is given by the order of rows."""

    __tablename__ = "outbox"

    event_id: str
    topic: str
    key: str
    headers: dict[str, str]
    value: bytes
    machine_at: AwareDatetime


class EventTooLarge(TooLarge):
    """What is to be told would be an event that no consumer takes: said to who asks, not held later on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """An event that is to be published about a locked aggregate, in which context and in whose trace."""

    ctx: Context
    of: Aggregate
    event: DomainEvent
    traceparent: str | None = field(default_factory=lambda: current_traceparent(sampled_only=False))


async def publish(ctx: Context, tx: Transaction, of: Aggregate, *events: DomainEvent) -> list[str]:
    """Put events about a locked aggregate into the outbox, in this order, and return their ids.

    Raises ValueError where a resource is not of a type that the catalog names, and EventTooLarge, both before
    anything is written.
    """
    return await publish_all(tx, [Publication(ctx=ctx, of=of, event=event) for event in events])


async def publish_all(tx: Transaction, publications: Sequence[Publication]) -> list[str]:
    """Put events about several aggregates into the outbox by one statement, and return their ids.

    Raises Outrun where an aggregate's version in the database is not the one in its row.
    """
    if not publications:
        return []
    publications = _in_time(publications)
    messages = [_message_of(publication) for publication in publications]
    before = {id(one.of): one.of.event_version for one in publications}
    records = [_record(one, message) for one, message in zip(publications, messages, strict=True)]
    tables: dict[str, list[Aggregate]] = {}
    for aggregate in {id(one.of): one.of for one in publications}.values():
        tables.setdefault(table_of(type(aggregate)).name, []).append(aggregate)
    values = [column for rows in tables.values() for column in _versions(rows, before=before)]
    columns = [list(column) for column in zip(*records, strict=True)]
    if await tx.value(_publish(tuple(tables)), *columns, machine_now(), *values) != len(before):
        raise Outrun("an aggregate has published something else meanwhile")
    tx.after_commit("wake relay", lambda: tx.database.wake_relay())
    return [str(event_id) for event_id in columns[0]]


async def publish_first(tx: Transaction, publications: Sequence[Publication], *rows: SQLModel) -> list[str]:
    """Insert these rows, and put the first events about those that are new aggregates into the outbox.

    The versions of the events go into the rows, so no row is written twice. Aggregates that are not among
    `rows` are inserted afterwards in this transaction. Raises ValueError for an aggregate that has published
    before, and as `publish`.
    """
    if any(one.of.event_version for one in publications):
        raise ValueError("an aggregate that has published is no new one")
    publications = _in_time(publications)
    messages = [_message_of(publication) for publication in publications]
    records = [_record(one, message) for one, message in zip(publications, messages, strict=True)]
    outgoing = _outgoing(records)
    await (tx.insert_at_once(*rows, *outgoing) if rows else tx.insert(*outgoing))
    if records:
        tx.after_commit("wake relay", lambda: tx.database.wake_relay())
    return [event_id for event_id, *_ in records]


def _outgoing(records: Iterable[tuple[str, str, str, dict[str, str], bytes]]) -> list[OutgoingEvent]:
    at = machine_now()
    return [
        OutgoingEvent(event_id=event_id, topic=topic, key=key, headers=headers, value=value, machine_at=at)
        for event_id, topic, key, headers, value in records
    ]


def _in_time(publications: Sequence[Publication]) -> list[Publication]:
    """Give each event the time of its context, or the newest of its aggregate where that is later."""
    newest: dict[int, datetime] = {}
    settled = []
    for publication in publications:
        ctx, of = publication.ctx, publication.of
        known = (newest.get(id(of)), of.event_at, of.last_updated if isinstance(of, Resource) else None)
        at = newest[id(of)] = max([ctx.at, *(moment for moment in known if moment is not None)])
        settled.append(publication if at == ctx.at else replace(publication, ctx=replace(ctx, at=at)))
    return settled


def _message_of(publication: Publication) -> tuple[str, str, bytes]:
    """Return the id, the source and the message Bundle of a new event."""
    event_id, event = new_text_id(), publication.event
    source = f"{LUMBAR}/{TOPICS[event.topic].publisher}"
    value = event.to_bundle(event_id=event_id, source=source, at=publication.ctx.at)
    if len(value) > LARGEST_VALUE:
        text = f"{event.name} would be of {len(value)} bytes, and an event takes {LARGEST_VALUE}"
        raise EventTooLarge(text)
    return event_id, source, value


def _record(
    publication: Publication, message: tuple[str, str, bytes]
) -> tuple[str, str, str, dict[str, str], bytes]:
    """Return the outbox row of an event, whose aggregate gets its next version."""
    ctx, of, event = publication.ctx, publication.of, publication.event
    event_id, source, value = message
    key = event.patient_id if event.keyed_by == "patient" else str(of.id)
    if not key:
        raise ValueError(f"{event.name} needs the patient's id")
    of.event_version += 1
    of.event_at = ctx.at
    headers = Event(
        id=event_id,
        type=event.name,
        source=source,
        subject=_subject(of, head(event.resources[0])),
        time=ctx.at,
        key=key,
        version=of.event_version,
        traceparent=publication.traceparent,
        causation=ctx.cause,
        caused_by_event=ctx.principal is None and made_at(ctx.cause or "") is not None,
        patient_id=event.patient_id,
        referral_id=event.referral_id,
        value=value,
    ).headers()
    return event_id, event.topic, key, headers, value


def _versions(rows: Sequence[Aggregate], *, before: Mapping[int, int]) -> tuple[list[Any], ...]:
    return (
        [row.id for row in rows],
        [before[id(row)] for row in rows],
        [row.event_version for row in rows],
        [row.event_at for row in rows],
    )


@cache
def _publish(tables: tuple[str, ...]) -> str:
    """Write the statement that gives aggregates of these tables their versions, and inserts the events."""
    versioned = [
        f"""v{place} AS (
          UPDATE "{table}" AS t SET event_version = r.after, event_at = r.at
          FROM unnest(
            ${7 + 4 * place}::uuid[], ${8 + 4 * place}::int[], ${9 + 4 * place}::int[],
            ${10 + 4 * place}::timestamptz[]
          ) AS r (id, before, after, at)
          WHERE t.id = r.id AND t.event_version = r.before RETURNING 1
        )"""  # noqa: S608
        for place, table in enumerate(tables)
    ]
    counts = " + ".join(f"(SELECT count(*) FROM v{place})" for place in range(len(tables)))  # noqa: S608
    return f"""
    WITH {", ".join(versioned)}, inserted AS (
      INSERT INTO outbox (event_id, topic, key, headers, value, machine_at)
      SELECT event_id, topic, key, headers, value, $6
      FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::bytea[])
        WITH ORDINALITY AS e (event_id, topic, key, headers, value, place) ORDER BY place
    )
    SELECT {counts}
    """  # noqa: S608


async def append(tx: Transaction, *, topic: str, records: Sequence[tuple[str, str, str, str, bytes]]) -> None:
    """Put finished records into the outbox, for a log that only its own service reads, such as the feed.

    A record is its id in the outbox, its key, the id and the type of what it is about, and its value.
    Everything that another service consumes goes through `publish`.
    """
    rows = [
        (record_id, topic, key, {"ce_id": event_id, "ce_type": event_type}, value)
        for record_id, key, event_id, event_type, value in records
    ]
    await tx.insert(*_outgoing(rows))
    tx.after_commit("wake relay", lambda: tx.database.wake_relay())


def _subject(of: Aggregate, focus: Head) -> str:
    """Name the aggregate as FHIR does where the event is about it, else by its row."""
    own_id = of.fhir_id if isinstance(of, Resource) else str(of.id)
    return focus.reference if focus.id == own_id else f"{type(of).__name__}/{of.id}"
