"""The floor of a hop on the embedded log: each event inserted once and read once, with nothing around it.

The rows of event log and inbox are inserted by asyncpg alone, and those of the log read, in batches of 100,
each a durable transaction; who inserts and who reads run side by side. There is no outbox in it: an event is
written no more than once.
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
from shared.events.transport.base import OutboxRow

BATCH = 100
_MAKE = (
    "CREATE TABLE IF NOT EXISTS floor_event_log (LIKE event_log INCLUDING ALL);"
    "CREATE TABLE IF NOT EXISTS floor_inbox (LIKE inbox INCLUDING ALL);"
    "TRUNCATE floor_event_log, floor_inbox"
)
_INTO_LOG = (
    "INSERT INTO floor_event_log (topic, log_offset, key, headers, value, machine_at)"
    " SELECT $1, $7 + r.place, r.key, r.headers::jsonb, r.value, $2"
    " FROM unnest($3::text[], $4::text[], $5::text[], $6::bytea[])"
    " WITH ORDINALITY AS r (event_id, key, headers, value, place)"
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
    began, news = time.monotonic(), asyncio.Event()
    await asyncio.gather(_insert(publisher, rows, news), _read(reader, consumer, len(rows), news))
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


async def _insert(connection: asyncpg.Connection, rows: Sequence[OutboxRow], news: asyncio.Event) -> None:
    for start in range(0, len(rows), BATCH):
        batch = columns(rows[start : start + BATCH])
        await connection.execute(_INTO_LOG, REFERRAL, datetime.now(UTC), *batch, start - 1)
        news.set()


async def _read(
    reader: asyncpg.Connection, writer: asyncpg.Connection, count: int, news: asyncio.Event
) -> None:
    offset = -1
    while offset < count - 1:
        news.clear()
        read = await reader.fetch(_READ_LOG, REFERRAL, offset, BATCH)
        if not read:
            await news.wait()
            continue
        offset = read[-1]["log_offset"]
        ids = [json.loads(row["headers"])["ce_id"] for row in read]
        await writer.execute(_INTO_INBOX, ids, datetime.now(UTC))


async def _connection(database: Database) -> asyncpg.Connection:
    url = database.engine.url.render_as_string(hide_password=False)
    return await asyncpg.connect(url.replace("postgresql+asyncpg", "postgresql"))
