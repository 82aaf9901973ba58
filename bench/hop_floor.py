"""The floor of a hop on the embedded log: the same rows with nothing around them.

The rows of outbox, event log and inbox are inserted by asyncpg alone, and those of the first two read, in
batches of 100, each a durable transaction; what publishes and what consumes run side by side.
"""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg

from shared.db import Database
from shared.events.topics import REFERRAL
from shared.events.transport import OutboxRow

BATCH = 100
_MAKE = (
    "CREATE TABLE IF NOT EXISTS floor_outbox (LIKE outbox INCLUDING ALL);"
    "CREATE TABLE IF NOT EXISTS floor_event_log (LIKE event_log INCLUDING ALL);"
    "CREATE TABLE IF NOT EXISTS floor_inbox (LIKE inbox INCLUDING ALL);"
    "TRUNCATE floor_outbox, floor_event_log, floor_inbox"
)
_INTO_OUTBOX = (
    "INSERT INTO floor_outbox (event_id, topic, key, headers, value, machine_at)"
    " SELECT r.event_id, $1, r.key, r.headers::jsonb, r.value, $2"
    " FROM unnest($3::text[], $4::text[], $5::text[], $6::bytea[]) AS r (event_id, key, headers, value)"
)
_INTO_LOG = (
    "INSERT INTO floor_event_log (topic, log_offset, key, headers, value, machine_at)"
    " SELECT $1, $7 + r.place, r.key, r.headers::jsonb, r.value, $2"
    " FROM unnest($3::text[], $4::text[], $5::text[], $6::bytea[])"
    " WITH ORDINALITY AS r (event_id, key, headers, value, place)"
)
_READ_OUTBOX = (
    "SELECT id, event_id, topic, key, headers::text, value FROM floor_outbox"
    " WHERE id > $1 ORDER BY id LIMIT $2"
)
_READ_LOG = (
    "SELECT log_offset, key, headers::text, value FROM floor_event_log"
    " WHERE topic = $1 AND log_offset > $2 ORDER BY log_offset LIMIT $3"
)
_INTO_INBOX = (
    "INSERT INTO floor_inbox (consumer_group, event_id, machine_at)"
    " SELECT 'scheduling', id, $2 FROM unnest($1::text[]) AS id"
)


async def rate(databases: Mapping[str, Database], rows: Sequence[OutboxRow]) -> float:
    """Move these rows without anything around them, and give the rows per second."""
    publisher = await _connection(databases["referral"])
    reader = await _connection(databases["referral"])
    consumer = await _connection(databases["scheduling"])
    for connection in (publisher, consumer):
        await connection.execute(_MAKE)
    began = time.monotonic()
    await asyncio.gather(_publish(publisher, rows), _consume(reader, consumer, len(rows)))
    took = time.monotonic() - began
    for connection in (publisher, reader, consumer):
        await connection.close()
    return len(rows) / took


def columns(rows: Sequence[OutboxRow]) -> list[list[Any]]:
    """Give the columns of rows: ids, keys, headers, values."""
    return [
        [row.event_id for row in rows],
        [row.key for row in rows],
        [json.dumps(dict(row.headers)) for row in rows],
        [row.value for row in rows],
    ]


async def _publish(connection: asyncpg.Connection, rows: Sequence[OutboxRow]) -> None:
    last, offset = 0, -1
    for start in range(0, len(rows), BATCH):
        batch, now = columns(rows[start : start + BATCH]), datetime.now(UTC)
        await connection.execute(_INTO_OUTBOX, REFERRAL, now, *batch)
        read = await connection.fetch(_READ_OUTBOX, last, BATCH)
        last = read[-1]["id"]
        await connection.execute(_INTO_LOG, REFERRAL, now, *batch, offset)
        offset += len(read)


async def _consume(reader: asyncpg.Connection, writer: asyncpg.Connection, count: int) -> None:
    offset = -1
    while offset < count - 1:
        read = await reader.fetch(_READ_LOG, REFERRAL, offset, BATCH)
        if not read:
            await asyncio.sleep(0)
            continue
        offset = read[-1]["log_offset"]
        ids = [json.loads(row["headers"])["ce_id"] for row in read]
        await writer.execute(_INTO_INBOX, ids, datetime.now(UTC))


async def _connection(database: Database) -> asyncpg.Connection:
    url = database.engine.url.render_as_string(hide_password=False)
    return await asyncpg.connect(url.replace("postgresql+asyncpg", "postgresql"))
