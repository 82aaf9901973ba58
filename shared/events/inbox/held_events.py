"""Held events: what a group could not handle yet, kept in its own database, key by key and in order.

Invariants:
- An event of a held key is held too, behind the others of its key and topic: what one service publishes about
  a patient is never overtaken by more of it.
- A batch reads the held keys among its own FOR SHARE; retry takes the key's row FOR UPDATE, works in order
  of `seq`, and removes the row when nothing is left: no event slips in between last retry and removal.
- Nothing is held because of an operational error.
- What is stored and logged about a failure is class and place, never text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import structlog

from shared.clock import machine_now
from shared.db import Transaction
from shared.events.failures import where_it_failed
from shared.events.inbox.handling import NotYet
from shared.events.inbox.incoming import IncomingRecord
from shared.events.inbox.retry_policy import RetryPolicy
from shared.events.transport.base import Record

log = structlog.get_logger("lumbar.held")

_HOLD_KEY = """
INSERT INTO held_key AS k
  (consumer_group, key, state, attempts, machine_since, machine_next_at, waits, error)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (consumer_group, key) DO UPDATE SET error = k.error
"""
_HOLD_EVENT = """
INSERT INTO held_event
  (consumer_group, key, event_id, topic, log_partition, log_offset, headers, value, machine_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (consumer_group, event_id) DO NOTHING
"""

RETRYING = "retrying"
DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKey:
    """The state of one held key; `since` is when its first event began to be held."""

    key: str
    attempts: int
    waits: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldEvent:
    """One held event with its place in the key's order."""

    seq: int
    incoming: IncomingRecord


async def hold(
    tx: Transaction,
    reasons: Sequence[tuple[IncomingRecord, BaseException | None]],
    *,
    group: str,
    retry_policy: RetryPolicy,
) -> None:
    """Hold events in this order, and their keys with them, in two round trips however many they are.

    Beside each event is why, None when only its key is held already. A malformed event makes its key dead at
    once; any other begins as retrying.
    """
    keys = [
        _held_key(tx, incoming, error, group=group, retry_policy=retry_policy)
        for incoming, error in reasons
        if error is not None
    ]
    await tx.run_many(_HOLD_KEY, keys)
    await tx.run_many(_HOLD_EVENT, [_held_record(incoming, group=group) for incoming, _ in reasons])


async def lock_due(tx: Transaction, *, group: str) -> HeldKey | None:
    """Lock the retrying key that has been due longest and that nobody else works on, None if none is due."""
    rows = await tx.records(
        "SELECT key, attempts, waits, machine_since FROM held_key"
        " WHERE consumer_group = $1 AND state = 'retrying' AND machine_next_at <= $2"
        " ORDER BY machine_next_at LIMIT 1 FOR UPDATE SKIP LOCKED",
        group,
        machine_now(),
    )
    for row in rows:
        return HeldKey(
            key=row["key"], attempts=row["attempts"], waits=row["waits"], since=row["machine_since"]
        )
    return None


async def heads(tx: Transaction, *, group: str, key: str) -> list[HeldEvent]:
    """Return the first held event of a key from each topic, the oldest first.

    Order is promised inside a topic only, and what one event waits for may be held behind it.
    """
    rows = await tx.records(
        "SELECT * FROM (SELECT DISTINCT ON (topic) seq, topic, log_partition, log_offset, key,"
        " headers, value FROM held_event WHERE consumer_group = $1 AND key = $2"
        " ORDER BY topic, seq) AS heads ORDER BY seq",
        group,
        key,
    )
    return [_held_event(row) for row in rows]


async def done(tx: Transaction, *, group: str, event: HeldEvent) -> None:
    """Remove a held event that was handled; the next one of its key is due at once, with all its attempts."""
    await tx.run("DELETE FROM held_event WHERE seq = $1", event.seq)
    await tx.run(
        "UPDATE held_key SET attempts = 0, waits = 0, error = '', machine_since = $3,"
        " machine_next_at = CASE WHEN state = 'retrying' THEN $3::timestamptz END"
        " WHERE consumer_group = $1 AND key = $2",
        group,
        event.incoming.key,
        machine_now(),
    )
    await release_if_empty(tx, group=group, key=event.incoming.key)


async def release_if_empty(tx: Transaction, *, group: str, key: str) -> None:
    """Remove a key that this transaction has locked, if nothing of it is held any more."""
    await tx.run(
        "DELETE FROM held_key AS k WHERE consumer_group = $1 AND key = $2 AND NOT EXISTS"
        " (SELECT FROM held_event AS e WHERE e.consumer_group = k.consumer_group AND e.key = k.key)",
        group,
        key,
    )


async def postpone(
    tx: Transaction,
    *,
    group: str,
    held: HeldKey,
    event: HeldEvent,
    retry_policy: RetryPolicy,
    error: BaseException,
) -> None:
    """Set when a key that failed again is tried next, or that it is dead after its last attempt."""
    now, where = machine_now(), where_it_failed(error)
    early = isinstance(error, NotYet) and now - held.since < retry_policy.early
    attempts, waits = (held.attempts, held.waits + 1) if early else (held.attempts + 1, held.waits)
    pause = retry_policy.early_delay(held.waits) if early else retry_policy.failure_delay(attempts)
    if event.incoming.malformed:
        pause = None
    if pause is None:
        tx.after_commit(f"alert {held.key}", lambda: _log_dead(group, event.incoming, where))
    await tx.run(
        "UPDATE held_key SET state = $3, attempts = $4, waits = $5, machine_next_at = $6, error = $7"
        " WHERE consumer_group = $1 AND key = $2 AND state = 'retrying'",
        group,
        held.key,
        DEAD if pause is None else RETRYING,
        attempts,
        waits,
        None if pause is None else now + pause,
        where,
    )


def _held_key(
    tx: Transaction,
    incoming: IncomingRecord,
    error: BaseException,
    *,
    group: str,
    retry_policy: RetryPolicy,
) -> tuple[Any, ...]:
    """Return the row of a key that begins to be held, and tell of it after the commit."""
    now, where = machine_now(), where_it_failed(error)
    early = isinstance(error, NotYet)
    pause = retry_policy.early_delay(0) if early else retry_policy.failure_delay(1)
    dead = incoming.malformed or pause is None
    if dead:
        tx.after_commit(f"alert {incoming.key}", lambda: _log_dead(group, incoming, where))
    elif not early:
        tx.after_commit(f"began {incoming.key}", lambda: _log_began(group, incoming, where))
    state, next_at = (DEAD, None) if dead or pause is None else (RETRYING, now + pause)
    return group, incoming.key, state, 0 if early else 1, now, next_at, 1 if early else 0, where


def _held_record(incoming: IncomingRecord, *, group: str) -> tuple[Any, ...]:
    record = incoming.record
    place = (record.topic, record.partition, record.offset)
    return group, incoming.key, incoming.id, *place, dict(record.headers), record.value, machine_now()


def _log_dead(group: str, incoming: IncomingRecord, where: str) -> None:
    """Alert the operator that a key is dead: ids, type, class and place, nothing else."""
    log.error("held.dead", runbook="KeyDead", **_named(group, incoming, where))


def _log_began(group: str, incoming: IncomingRecord, where: str) -> None:
    """Log once that a key begins to be held because its event failed; what only came early is usual."""
    log.warning("held.began", runbook="HeldKeysOld", **_named(group, incoming, where))


def _named(group: str, incoming: IncomingRecord, where: str) -> dict[str, str]:
    return {
        "group": group,
        "key": incoming.key,
        "event_id": incoming.id,
        "type": incoming.type,
        "error": where,
    }


def _held_event(row: asyncpg.Record) -> HeldEvent:
    place = f"{row['topic']}/{row['log_partition']}/{row['log_offset']}"
    record = Record(
        topic=row["topic"],
        partition=row["log_partition"],
        offset=row["log_offset"],
        key="" if row["key"] == place else row["key"],
        headers=row["headers"],
        value=row["value"],
    )
    return HeldEvent(seq=row["seq"], incoming=IncomingRecord(record))
