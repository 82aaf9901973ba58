"""The inbox: which events this group has handled, so that each has its effect once.

Invariants:
- An event is written here in the transaction of its effect: both stand or neither does.
- Two owners with the same event: the second waits for the first, and then either finds it or does it itself.
- Rows outlive the retention of every topic, so a record read again is known again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.clock import machine_now
from shared.db import Transaction

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
)
SELECT ARRAY(SELECT key FROM held) AS held, ARRAY(SELECT event_id FROM fresh) AS fresh
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Which keys of a batch are held, and which of its events were not handled before."""

    held: set[str]
    fresh: set[str]


async def admit(
    tx: Transaction, *, group: str, keys: Sequence[str], events: Sequence[tuple[str, str]]
) -> Admission:
    """Lock those of the keys that are held, and write down the events (id, key) of all others: one statement.

    `keys` may name more than `events` do: what is to be held anyway is no event to be written down.
    """
    driver = await tx.driver()
    ids, of = [event_id for event_id, _ in events], [key for _, key in events]
    row = await driver.fetchrow(_ADMIT, group, sorted(set(keys)), ids, of, machine_now())
    return Admission(held=set(row["held"]), fresh=set(row["fresh"]))


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
