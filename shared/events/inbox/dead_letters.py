"""Held events as an operator sees them: what waits, why, and how to set it going again.

Invariants:
- Listing shows ids, types, places and error classes; a resource is shown only to somebody who asks for it.
- Replay only makes a key due: the worker works through it in order under the key's lock, as in every retry.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.clock import machine_now
from shared.db import Database, Transaction

_KEYS_WITH_EVENTS = """
SELECT consumer_group AS "group", key, state, attempts, machine_since AS since, machine_next_at AS next_at,
  error, count(*) OVER () AS total,
  (SELECT count(*) FROM held_event AS e
   WHERE e.consumer_group = k.consumer_group AND e.key = k.key) AS waiting,
  (SELECT coalesce(jsonb_agg(jsonb_build_object(
     'id', event_id, 'type', coalesce(headers ->> 'ce_type', ''), 'topic', topic, 'offset', log_offset
   ) ORDER BY seq), '[]')
   FROM (SELECT * FROM held_event AS e WHERE e.consumer_group = k.consumer_group AND e.key = k.key
         ORDER BY seq LIMIT $2) AS first) AS events
FROM held_key AS k ORDER BY (state = 'dead') DESC, machine_since, key LIMIT $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKeySummary:
    """One held key of one group; `events` is how many events wait behind it."""

    group: str
    key: str
    state: str
    attempts: int
    waits: int
    since: datetime
    error: str
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKeyEvents:
    """One held key with when it is tried next (None for a dead one) and the first of its `waiting` events.

    Each event has its `id`, `type`, `topic` and `offset`.
    """

    group: str
    key: str
    state: str
    attempts: int
    since: datetime
    next_at: datetime | None
    error: str
    waiting: int
    events: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldEventSummary:
    """One held event in its key's order; `value` is empty unless it was asked for."""

    seq: int
    event_id: str
    type: str
    topic: str
    partition: int
    offset: int
    value: bytes = field(default=b"", repr=False)


async def list_keys(database: Database, *, only_dead: bool = False) -> Sequence[HeldKeySummary]:
    """Return every held key of a service, the longest held first."""
    rows = await database.fetch(
        'SELECT consumer_group AS "group", key, state, attempts, waits, machine_since AS since, error,'
        " (SELECT count(*) FROM held_event AS e"
        "  WHERE e.consumer_group = k.consumer_group AND e.key = k.key) AS events"
        " FROM held_key AS k WHERE state = 'dead' OR NOT $1 ORDER BY machine_since, key",
        only_dead,
    )
    return [HeldKeySummary(**row) for row in rows]


async def list_with_events(
    database: Database, *, keys: int, events: int
) -> tuple[int, Sequence[HeldKeyEvents]]:
    """Return how many keys a service holds, and so many of them with so many events each.

    Dead keys come first, then the longest held.
    """
    rows = await database.fetch(_KEYS_WITH_EVENTS, keys, events)
    found = [dict(row) for row in rows]
    total = found[0]["total"] if found else 0
    for row in found:
        del row["total"]
    return total, [HeldKeyEvents(**row) for row in found]


async def show(
    database: Database, *, group: str, key: str, with_resources: bool = False
) -> Sequence[HeldEventSummary]:
    """Return the held events of a key in order, their resources only when asked for."""
    rows = await database.fetch(
        "SELECT seq, event_id, coalesce(headers ->> 'ce_type', '') AS type, topic,"
        " log_partition AS partition, log_offset AS \"offset\", CASE WHEN $3 THEN value ELSE '' END AS value"
        " FROM held_event WHERE consumer_group = $1 AND key = $2 ORDER BY seq",
        group,
        key,
        with_resources,
    )
    return [HeldEventSummary(**row) for row in rows]


async def replay(tx: Transaction, *, group: str, key: str) -> int:
    """Make a key due again, its attempts from the start; return how many events wait, 0 for no such key."""
    rows = await tx.records(
        "UPDATE held_key AS k SET state = 'retrying', attempts = 0, waits = 0, machine_since = $3,"
        " machine_next_at = $3 WHERE consumer_group = $1 AND key = $2 RETURNING"
        " (SELECT count(*) FROM held_event AS e WHERE e.consumer_group = $1 AND e.key = $2)",
        group,
        key,
        machine_now(),
    )
    return int(rows[0][0]) if rows else 0
