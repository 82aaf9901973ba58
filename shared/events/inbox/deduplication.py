"""The inbox: which events this group has handled, so that each has its effect once.

Invariants:
- An event is written here in the transaction of its effect: both stand or neither does.
- Two owners with the same event: the second waits for the first, and then either finds it or does it itself.
- The group's position moves in the same statement; where it cannot, nothing of the transaction counts.
- Rows outlive the retention of every topic, so a record read again is known again.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.clock import machine_now
from shared.db import Transaction
from shared.events.transport import positions
from shared.events.transport.base import PositionMove
from shared.events.transport.positions import PositionMoved

_ADMIT = f"""
WITH moved AS ({positions.MOVE}), held AS MATERIALIZED (
  SELECT key FROM held_key WHERE consumer_group = $1 AND key = ANY($6::text[]) ORDER BY key FOR SHARE
), fresh AS (
  INSERT INTO inbox (consumer_group, event_id, machine_at)
  SELECT DISTINCT $1, wanted.id, $9::timestamptz
  FROM unnest($7::text[], $8::text[]) AS wanted (id, key)
  WHERE wanted.key NOT IN (SELECT key FROM held)
  ORDER BY 2
  ON CONFLICT DO NOTHING RETURNING event_id
)
SELECT ARRAY(SELECT key FROM held) AS held, ARRAY(SELECT event_id FROM fresh) AS fresh,
       (SELECT count(*) FROM moved) AS moved,
       ARRAY(SELECT cause FROM unnest($10::text[]) AS cause WHERE NOT EXISTS
         (SELECT FROM inbox WHERE consumer_group = $1 AND event_id = cause)) AS missing
"""  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Which keys of a batch are held, which of its events were not handled before, and which of the causes
    that were asked for were not handled before it.
    """

    held: set[str]
    fresh: set[str]
    missing: set[str]


async def admit(
    tx: Transaction,
    *,
    group: str,
    keys: Sequence[str],
    events: Sequence[tuple[str, str]],
    moves: Sequence[PositionMove] = (),
    causes: Collection[str] = (),
) -> Admission:
    """Lock those of the keys that are held, write down the events (id, key) of all others, and move the
    position behind all of them, in one statement; raises PositionMoved where it is not where it was read.

    `keys` may name more than `events` do: what is to be held anyway is no event to be written down.
    """
    ids, of = [event_id for event_id, _ in events], [key for _, key in events]
    [row] = await tx.records(
        _ADMIT, group, *positions.columns(moves), sorted(set(keys)), ids, of, machine_now(), list(causes)
    )
    if row["moved"] < len(moves):
        raise PositionMoved
    return Admission(held=set(row["held"]), fresh=set(row["fresh"]), missing=set(row["missing"]))


async def first_time(tx: Transaction, *, group: str, event_id: str) -> bool:
    """Write this event down; return whether it was not there."""
    rows = await tx.records(
        "INSERT INTO inbox (consumer_group, event_id, machine_at) VALUES ($1, $2, $3)"
        " ON CONFLICT DO NOTHING RETURNING 1",
        group,
        event_id,
        machine_now(),
    )
    return bool(rows)


async def is_handled(tx: Transaction, *, group: str, event_id: str) -> bool:
    """Return whether this event was handled, by a transaction that is committed."""
    sql = "SELECT EXISTS (SELECT FROM inbox WHERE consumer_group = $1 AND event_id = $2)"
    return bool(await tx.value(sql, group, event_id))


async def forget(tx: Transaction, *, before: datetime) -> None:
    """Remove what was handled before a machine time that lies beyond every topic's retention."""
    await tx.run("DELETE FROM inbox WHERE machine_at < $1", before)
