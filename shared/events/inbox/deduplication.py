"""The inbox: which events this group has handled, so that each has its effect once.

Invariants:
- An event is written here in the transaction of its effect: both stand or neither does.
- Two owners with the same event: the second waits for the first, and then either finds it or does it itself.
- A step along the embedded log stands with the effects of all that it passes, or not at all; it is taken only
  from where the group read, so a position that somebody set back stays there.
- Rows outlive the retention of every topic, so a record read again is known again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.clock import machine_now
from shared.db import Transaction
from shared.events.transport.base import Step

_ADMIT = """
WITH held AS MATERIALIZED (
  SELECT key FROM held_key WHERE consumer_group = $1 AND key = ANY($2::text[]) ORDER BY key FOR SHARE
), fresh AS (
  INSERT INTO inbox (consumer_group, event_id, machine_at)
  SELECT DISTINCT $1, wanted.id, $5::timestamptz
  FROM unnest($3::text[], $4::text[]) AS wanted (id, key)
  WHERE wanted.key NOT IN (SELECT key FROM held)
  ORDER BY 2
  ON CONFLICT DO NOTHING RETURNING event_id
), stepped AS (
  INSERT INTO consumer_position AS p (consumer_group, topic, next_offset)
  SELECT $1, $6::text, $8::bigint WHERE $6::text IS NOT NULL
  ON CONFLICT (consumer_group, topic) DO UPDATE SET next_offset = excluded.next_offset
  WHERE p.next_offset = $7::bigint RETURNING next_offset
)
SELECT ARRAY(SELECT key FROM held) AS held, ARRAY(SELECT event_id FROM fresh) AS fresh,
       EXISTS (SELECT FROM stepped) AS stepped
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Which keys of a batch are held, which of its events were not handled before, and whether the step that
    was asked for is taken.
    """

    held: set[str]
    fresh: set[str]
    stepped: bool


async def admit(
    tx: Transaction,
    *,
    group: str,
    keys: Sequence[str],
    events: Sequence[tuple[str, str]],
    step: Step | None = None,
) -> Admission:
    """Lock those of the keys that are held, write down the events (id, key) of all others, and take the step
    that handling all of them is: one statement.

    `keys` may name more than `events` do: what is to be held anyway is no event to be written down.
    """
    driver = await tx.driver()
    ids, of = [event_id for event_id, _ in events], [key for _, key in events]
    place = (None, None, None) if step is None else (step.topic, step.read_from, step.behind)
    row = await driver.fetchrow(_ADMIT, group, sorted(set(keys)), ids, of, machine_now(), *place)
    return Admission(held=set(row["held"]), fresh=set(row["fresh"]), stepped=row["stepped"])


async def first_time(tx: Transaction, *, group: str, event_ids: Sequence[str]) -> set[str]:
    """Write down these events and give those that were not there; ids may repeat within the call."""
    driver = await tx.driver()
    rows = await driver.fetch(
        "INSERT INTO inbox (consumer_group, event_id, machine_at)"
        " SELECT $1, id, $3 FROM unnest($2::text[]) AS id ON CONFLICT DO NOTHING RETURNING event_id",
        group,
        sorted(set(event_ids)),
        machine_now(),
    )
    return {row["event_id"] for row in rows}


async def forget(tx: Transaction, *, before: datetime) -> None:
    """Remove what was handled before a machine time that lies beyond every topic's retention."""
    await tx.sql("DELETE FROM inbox WHERE machine_at < :before", before=before)
