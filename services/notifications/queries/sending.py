"""The messages that are to be sent: the claim of what is due, the lease, and the attempts."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, any_, cast, or_, select
from sqlmodel import col

from services.notifications.models import Attempt, Notification
from services.notifications.states import OPEN, Channel
from shared.db import Database, Transaction


async def claim_due(
    tx: Transaction, *, now: datetime, machine_now: datetime, limit: int
) -> Sequence[Notification]:
    """Lock e-mails that are due and that nobody holds a lease on; what others lock is left to them."""
    return await tx.all(
        select(Notification)
        .where(
            is_due(now),
            col(Notification.channel) == Channel.EMAIL,
            unleased(machine_now),
        )
        .order_by(col(Notification.next_attempt_at), col(Notification.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


async def leased(tx: Transaction, notification_id: UUID, *, lease: UUID) -> Notification | None:
    """Lock a message under this lease; None when another worker has taken it over."""
    return await tx.first(
        select(Notification)
        .where(col(Notification.id) == notification_id, col(Notification.lease) == lease)
        .with_for_update()
    )


async def attempts(tx: Transaction, messages: Collection[UUID]) -> Mapping[UUID, list[Attempt]]:
    """List the attempts of each of these messages in order; nothing is asked where there is no message."""
    found: dict[UUID, list[Attempt]] = {}
    if messages:
        wanted = any_(cast(list(messages), ARRAY(Uuid)))
        mine = select(Attempt).where(col(Attempt.notification_id) == wanted)
        for row in await tx.all(mine.order_by(col(Attempt.notification_id), col(Attempt.number))):
            found.setdefault(row.notification_id, []).append(row)
    return found


async def due(database: Database, *, now: datetime) -> int:
    """Count the e-mails that are due, in one round trip: it is asked for all the time."""
    rows = await database.fetch(
        "SELECT count(*) FROM notification WHERE status = ANY($1) AND channel = $2 AND next_attempt_at <= $3",
        list(OPEN),
        Channel.EMAIL,
        now,
    )
    return int(rows[0][0])


async def next_due(database: Database) -> datetime | None:
    """Tell when the next e-mail is due, in one round trip."""
    rows = await database.fetch(
        "SELECT min(next_attempt_at) FROM notification WHERE status = ANY($1) AND channel = $2",
        list(OPEN),
        Channel.EMAIL,
    )
    found: datetime | None = rows[0][0]
    return found


def unleased(machine_now: datetime) -> ColumnElement[bool]:
    """Nobody holds a lease on the message."""
    until = col(Notification.machine_lease_until)
    return or_(until.is_(None), until <= machine_now)


def is_due(now: datetime) -> ColumnElement[bool]:
    """The message is open and its time has come."""
    return and_(col(Notification.status).in_(OPEN), col(Notification.next_attempt_at) <= now)
