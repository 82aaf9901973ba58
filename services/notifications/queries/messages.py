"""The messages that are to be sent: the claim of what is due, the lease, and the attempts."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.notifications.models.rows import Attempt, Notification
from services.notifications.states import OPEN, Channel, Status
from shared.db import Database, Transaction

_CLAIM = """
SELECT * FROM notification
WHERE status = ANY($1::text[]) AND channel = $2 AND next_attempt_at <= $3
  AND (machine_lease_until IS NULL OR machine_lease_until <= $4)
ORDER BY next_attempt_at, id LIMIT $5 FOR UPDATE SKIP LOCKED
"""
_LEASED = "SELECT * FROM notification WHERE id = $1 AND lease = $2 FOR UPDATE"
_BY_ID = "SELECT * FROM notification WHERE id = $1"
_ATTEMPTS = """
SELECT * FROM notification_attempt WHERE notification_id = ANY($1::uuid[]) ORDER BY notification_id, number
"""
_DUE = "SELECT count(*) FROM notification WHERE status = ANY($1) AND channel = $2 AND next_attempt_at <= $3"
_NEXT_DUE = "SELECT min(next_attempt_at) FROM notification WHERE status = ANY($1) AND channel = $2"

_WRITTEN = "SELECT event_id FROM notification WHERE event_id = ANY($1::text[])"
_BY_STATUS = "SELECT status, count(*) AS messages FROM notification GROUP BY status"


async def claim_due(
    tx: Transaction, *, channel: Channel, now: datetime, machine_now: datetime, limit: int
) -> Sequence[Notification]:
    """Lock messages of a channel that are due and nobody holds a lease on; others' locks are left to them."""
    return await tx.rows(Notification, _CLAIM, list(OPEN), channel, now, machine_now, limit)


async def written(tx: Transaction, events: Collection[str]) -> frozenset[str]:
    """Return those of these events of which somebody was told."""
    rows = await tx.records(_WRITTEN, list(events)) if events else []
    return frozenset(row["event_id"] for row in rows)


async def leased(tx: Transaction, notification_id: UUID, *, lease: UUID) -> Notification | None:
    """Lock a message under this lease; None when another worker has taken it over."""
    return await tx.row(Notification, _LEASED, notification_id, lease)


async def of_link(tx: Transaction, notification_id: UUID) -> Notification:
    """Read the message of a link; raises LookupError where there is none."""
    found = await tx.row(Notification, _BY_ID, notification_id)
    if found is None:
        raise LookupError(f"there is no notification {notification_id}")
    return found


async def attempts(tx: Transaction, messages: Collection[UUID]) -> Mapping[UUID, list[Attempt]]:
    """List the attempts of each of these messages in order; nothing is asked where there is no message."""
    found: dict[UUID, list[Attempt]] = {}
    if messages:
        for row in await tx.rows(Attempt, _ATTEMPTS, list(messages)):
            found.setdefault(row.notification_id, []).append(row)
    return found


async def due(database: Database, *, channel: Channel, now: datetime) -> int:
    """Count the messages of a channel that are due, in one round trip: it is asked for all the time."""
    rows = await database.fetch(_DUE, list(OPEN), channel, now)
    return int(rows[0][0])


async def by_status(tx: Transaction) -> Mapping[str, int]:
    """Count all messages by their status; one that no message has is 0."""
    found = {row["status"]: row["messages"] for row in await tx.records(_BY_STATUS)}
    return {status.value: found.get(status, 0) for status in Status}


async def next_due(database: Database, *, channel: Channel) -> datetime | None:
    """Return when the next message of a channel is due, in one round trip."""
    rows = await database.fetch(_NEXT_DUE, list(OPEN), channel)
    found: datetime | None = rows[0][0]
    return found
