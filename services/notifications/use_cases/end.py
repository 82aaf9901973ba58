"""End a message: taken by its channel, or not, with the reason and, where somebody must look, an alert."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from prometheus_client import Counter

from services.notifications.models import Attempt, Notification
from services.notifications.rules import UNDELIVERABLE_TEXT, Audience, FeedEntry, Reason
from services.notifications.states import Channel, Status, may_become
from services.notifications.use_cases.put_entry import put_entry
from services.notifications.use_cases.put_message import put_message
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict
from shared.events.catalog.notifications import NotificationDelivered, NotificationUndeliverable
from shared.events.outbox import publishing
from shared.telemetry.registry import REGISTRY
from shared.telemetry.tracing import handler_span

_ENDED = Counter(
    "lumbar_notifications_ended",
    "Notifications that ended, by channel and reason; `taken` is the good one",
    ["channel", "reason"],
    registry=REGISTRY,
)
for _channel in Channel:
    for _reason in Reason:
        _ENDED.labels(str(_channel), _reason.name.lower())
_SOMEBODY_MUST_LOOK = frozenset(
    {Reason.NO_ADDRESS, Reason.REFUSED, Reason.GAVE_UP, Reason.NOT_TAKEN, Reason.GONE}
)


class MessageEnded(Conflict):
    """The message has ended already; a message ends once."""


async def end_message(
    ctx: Context, tx: Transaction, row: Notification, *, attempts: Sequence[Attempt], reason: Reason | None
) -> None:
    """End a message, `completed` without a reason; raises MessageEnded for one that ended before.

    `attempts` are all that were made.
    """
    status = _ends_as(row, reason)
    if not may_become(Status(row.status), status):
        raise MessageEnded(f"notification {row.id} is {row.status} and cannot become {status}")

    row.status, row.reason = status, reason
    row.sent_at = ctx.at if reason is None else None
    row.next_attempt_at = row.lease = row.machine_lease_until = None
    await put_message(ctx, tx, row, attempts, at=ctx.at)
    about = replace(ctx, cause=row.event_id)
    event_type = NotificationDelivered if reason is None else NotificationUndeliverable
    with handler_span("notification.ended", traceparent=row.traceparent):
        event_id = publishing.collect(tx, event_type, of=row, key=row.event_key, focus=row.body, ctx=about)
    channel, why = str(row.channel), reason.name.lower() if reason else "taken"
    tx.after_commit(f"count {row.id}", lambda: _ENDED.labels(channel, why).inc())
    if reason in _SOMEBODY_MUST_LOOK:
        _alert(ctx, tx, row, event_id=event_id, at=ctx.at)


def _ends_as(row: Notification, reason: Reason | None) -> Status:
    if reason is None:
        return Status.COMPLETED
    return Status.NOT_DONE if row.status == Status.PREPARATION else Status.STOPPED


def _alert(ctx: Context, tx: Transaction, row: Notification, *, event_id: str, at: datetime) -> None:
    """Tell one owner, without saying whom the message was about."""
    owners = ctx.clinic.coordinators(row.site) if row.site else ()
    for owner in owners[:1]:
        put_entry(
            tx,
            FeedEntry(
                id=event_id,
                type=NotificationUndeliverable.name,
                time=at.isoformat(),
                text=UNDELIVERABLE_TEXT,
                focus=f"Communication/{row.id}",
                patient=None,
                referral=None,
                audiences=(Audience.COORDINATOR,),
                only=owner.id,
            ),
        )
