"""The inbox: which events this group has handled, so that each has its effect once.

Invariants:
- An event is written here in the transaction of its effect: both stand or neither does.
- Two owners with the same event: the second waits for the first, and then either finds it or does it itself.
- Rows outlive the retention of every topic, so a record read again is known again.
"""

from collections.abc import Sequence
from datetime import datetime

from shared.clock import machine_now
from shared.db import Transaction


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
