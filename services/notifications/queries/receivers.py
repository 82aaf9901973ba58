"""The messages for the receivers of webhooks: one at a time and in order for each of them."""

from collections.abc import Collection, Sequence
from datetime import datetime

from services.notifications.models.rows import Notification
from services.notifications.states import OPEN, Channel
from shared.db import Database, Transaction

_OPEN_FOR = "channel = 'webhook' AND recipient = $1 AND status = ANY($2::text[])"
# A message of this receiver that was committed late may stand before one that is being sent just now.
_NEXT = f"""
SELECT * FROM notification
WHERE id = (SELECT id FROM notification WHERE {_OPEN_FOR} ORDER BY id LIMIT 1)
  AND status = ANY($2::text[]) AND next_attempt_at <= $3
  AND (machine_lease_until IS NULL OR machine_lease_until <= $4)
  AND NOT EXISTS (SELECT FROM notification WHERE {_OPEN_FOR} AND machine_lease_until > $4)
FOR UPDATE SKIP LOCKED
"""  # noqa: S608
_DUE = f"SELECT next_attempt_at FROM notification WHERE {_OPEN_FOR} ORDER BY id LIMIT 1"  # noqa: S608
_END = "INSERT INTO ended_receiver (id, at) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_HAS_ENDED = "SELECT EXISTS (SELECT FROM ended_receiver WHERE id = $1)"
_LEFT_OVER = """
SELECT * FROM notification
WHERE channel = $1 AND status = ANY($2::text[]) AND recipient <> ALL($3::text[])
FOR UPDATE SKIP LOCKED
"""


async def next_delivery(
    tx: Transaction, *, recipient: str, now: datetime, machine_now: datetime
) -> Notification | None:
    """Lock the first open message of a receiver; None where there is none, or it is not due, or leased."""
    return await tx.row(Notification, _NEXT, recipient, list(OPEN), now, machine_now)


async def delivery_due(database: Database, *, recipient: str) -> datetime | None:
    """Return when the first open message of a receiver is due: the others wait behind it."""
    rows = await database.fetch(_DUE, recipient, list(OPEN))
    return rows[0][0] if rows else None


async def end_receiver(tx: Transaction, receiver: str, *, at: datetime) -> None:
    """Remember that a receiver has ended, for whoever ends it first."""
    await tx.run(_END, receiver, at)


async def has_ended(tx: Transaction, receiver: str) -> bool:
    """Tell whether a receiver said that it is gone."""
    return bool(await tx.value(_HAS_ENDED, receiver))


async def left_over(tx: Transaction, *, recipients: Collection[str]) -> Sequence[Notification]:
    """Lock the open messages for receivers that are none of these."""
    return await tx.rows(Notification, _LEFT_OVER, Channel.WEBHOOK, list(OPEN), list(recipients))
