"""The messages for the receivers of webhooks: one at a time and in order for each of them."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from services.notifications.models import Notification
from services.notifications.queries.sending import is_due, unleased
from services.notifications.states import OPEN, Channel
from shared.db import Database, Transaction


async def next_delivery(
    tx: Transaction, *, recipient: str, now: datetime, machine_now: datetime
) -> Notification | None:
    """Lock the first open message of a receiver; None where there is none, or it is not due, or leased."""
    first = select(col(Notification.id)).where(_open_for(recipient)).order_by(col(Notification.id)).limit(1)
    return await tx.first(
        select(Notification)
        .where(
            col(Notification.id) == first.scalar_subquery(),
            is_due(now),
            unleased(machine_now),
            ~_in_flight(recipient, machine_now),
        )
        .with_for_update(skip_locked=True)
    )


async def delivery_due(database: Database, *, recipient: str) -> datetime | None:
    """Tell when the first open message of a receiver is due: the others wait behind it."""
    rows = await database.fetch(
        "SELECT next_attempt_at FROM notification WHERE status = ANY($1) AND channel = $2 AND recipient = $3"
        " ORDER BY id LIMIT 1",
        list(OPEN),
        Channel.WEBHOOK,
        recipient,
    )
    return rows[0][0] if rows else None


async def end_receiver(tx: Transaction, receiver: str, *, at: datetime) -> None:
    """Remember that a receiver has ended, for whoever ends it first."""
    await tx.sql(
        "INSERT INTO ended_receiver (id, at) VALUES (:id, :at) ON CONFLICT DO NOTHING", id=receiver, at=at
    )


async def left_over(tx: Transaction, *, recipients: Collection[str]) -> Sequence[Notification]:
    """Lock the open messages for receivers that are none of these."""
    wanted = select(Notification).where(
        col(Notification.channel) == Channel.WEBHOOK,
        col(Notification.status).in_(OPEN),
        col(Notification.recipient).not_in(recipients),
    )
    return await tx.all(wanted.with_for_update(skip_locked=True))


def _open_for(recipient: str) -> ColumnElement[bool]:
    return and_(
        col(Notification.channel) == Channel.WEBHOOK,
        col(Notification.recipient) == recipient,
        col(Notification.status).in_(OPEN),
    )


def _in_flight(recipient: str, machine_now: datetime) -> ColumnElement[bool]:
    """A message of this receiver is being sent: one that was committed late stands before it now."""
    other = aliased(Notification)
    return exists().where(
        col(other.channel) == Channel.WEBHOOK,
        col(other.recipient) == recipient,
        col(other.status).in_(OPEN),
        col(other.machine_lease_until) > machine_now,
    )
