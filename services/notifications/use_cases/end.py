"""End a message: taken by its channel, or not, with the reason and, where somebody must look, an alert."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
from prometheus_client import Counter

from services.notifications import fhir, texts
from services.notifications.models import Attempt, Notification
from services.notifications.rules import sending
from services.notifications.rules.feed import FeedEntry
from services.notifications.rules.told import TOLD, UNDELIVERABLE_TEXT, Audience
from services.notifications.states import Channel, Status, may_become
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict
from shared.events.catalog.notifications import NotificationDelivered, NotificationUndeliverable
from shared.events.outbox.publishing import Publication, append, publish_all
from shared.events.topics import FEED
from shared.fhir import store
from shared.reasons import Reason
from shared.telemetry.registry import REGISTRY
from shared.telemetry.tracing import handler_span

_ENDED = Counter(
    "lumbar_notifications_ended",
    "Notifications that ended, by channel and reason; `taken` is the good one",
    ["channel", "reason"],
    registry=REGISTRY,
)


def label_of(code: str) -> str:
    """Return the label under which a reason is counted."""
    return code.replace("-", "_")


for _channel in Channel:
    for _code in texts.REASONS:
        _ENDED.labels(str(_channel), label_of(_code))
_SOMEBODY_MUST_LOOK = frozenset(
    {
        sending.NO_ADDRESS,
        sending.REFUSED,
        sending.GAVE_UP,
        sending.NOT_TAKEN,
        sending.GONE,
    }
)


class MessageEnded(Conflict):
    """The message has ended already; a message ends once."""


async def run(
    ctx: Context,
    tx: Transaction,
    row: Notification,
    *,
    attempts: Sequence[Attempt],
    reason: Reason | None,
) -> None:
    """End a locked message, `completed` without a reason; raises MessageEnded for one that ended before.

    `attempts` are all that were made.
    """
    changes = ended(ctx, row, reason=reason)
    for name, value in changes.items():
        setattr(row, name, value)
    await store.update(tx, row, render(ctx, row, attempts), at=ctx.at, **changes)
    await announce(ctx, tx, [row])


def ended(ctx: Context, row: Notification, *, reason: Reason | None) -> dict[str, Any]:
    """Return what changes in a message that ends; raises MessageEnded for one that ended before."""
    status = _ends_as(row, reason)
    if not may_become(Status(row.status), status):
        raise MessageEnded(f"notification {row.id} is {row.status} and cannot become {status}")
    return {
        "status": status,
        "reason": reason,
        "sent_at": ctx.at if reason is None else None,
        "next_attempt_at": None,
        "lease": None,
        "machine_lease_until": None,
    }


def render(ctx: Context, row: Notification, attempts: Sequence[Attempt]) -> dict[str, object]:
    """Render a message with its attempts, as the Communication that readers get."""
    return fhir.communication(ctx, row, attempts, text=TOLD[row.event_type].text)


async def announce(ctx: Context, tx: Transaction, rows: Sequence[Notification]) -> None:
    """Publish what became of messages that have ended, and alert whoever must look."""
    publications = []
    for row in rows:
        event = NotificationDelivered if row.reason is None else NotificationUndeliverable
        made = event(patient_id=row.event_key, referral_id=row.referral_id, resources=(row.body,))
        with handler_span("notification.ended", traceparent=row.traceparent):
            publications.append(Publication(ctx=replace(ctx, cause=row.event_id), of=row, event=made))
    ids = await publish_all(tx, publications)
    for row, event_id in zip(rows, ids, strict=True):
        _count(tx, row)
        if row.reason in _SOMEBODY_MUST_LOOK:
            await append_entries(tx, _alerts(ctx, row, event_id=event_id))


async def append_entries(tx: Transaction, entries: Sequence[FeedEntry]) -> None:
    """Put entries on their way to the feed's log."""
    records = [
        (f"feed/{entry.id}", entry.patient or entry.id, entry.id, entry.type, msgspec.json.encode(entry))
        for entry in entries
    ]
    await append(tx, topic=FEED, records=records)


def _count(tx: Transaction, row: Notification) -> None:
    channel, why = str(row.channel), label_of(row.reason.code) if row.reason else "taken"
    tx.after_commit(f"count {row.id}", lambda: _ENDED.labels(channel, why).inc())


def _ends_as(row: Notification, reason: Reason | None) -> Status:
    if reason is None:
        return Status.COMPLETED
    return Status.NOT_DONE if row.status == Status.PREPARATION else Status.STOPPED


def _alerts(ctx: Context, row: Notification, *, event_id: str) -> list[FeedEntry]:
    """Tell one owner, without saying whom the message was about."""
    owners = ctx.clinic.coordinators(row.site) if row.site else ()
    return [
        FeedEntry(
            id=event_id,
            type=NotificationUndeliverable.name,
            time=ctx.at.isoformat(),
            text=UNDELIVERABLE_TEXT,
            focus=f"Communication/{row.id}",
            patient=None,
            referral=None,
            audiences=(Audience.COORDINATOR,),
            only=owner.id,
        )
        for owner in owners[:1]
    ]
