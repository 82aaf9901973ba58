"""End a message: taken by its channel, or not, with the reason and, where somebody must look, an alert."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

import msgspec
from prometheus_client import Counter

from services.notifications import fhir, texts
from services.notifications.models.rows import Attempt, Notification
from services.notifications.rules import delivery
from services.notifications.rules.feed import FeedEntry
from services.notifications.rules.routing import UNDELIVERABLE_TEXT, text_of
from services.notifications.states import Audience, Channel, Status, may_become
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict
from shared.events.catalog.notifications import (
    NotificationDelivered,
    NotificationUndeliverable,
    PatientNotTold,
    PatientTold,
)
from shared.events.outbox.publishing import Publication, append, publish_all, publish_first
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
    {delivery.NO_ADDRESS, delivery.REFUSED, delivery.GAVE_UP, delivery.NOT_TAKEN, delivery.GONE}
    | {delivery.GATEWAY_REFUSED, delivery.GATEWAY_GAVE_UP}
)
# Of a message to a patient another type tells: whoever follows those need not read all others.
_EVENTS = {
    False: (NotificationDelivered, NotificationUndeliverable),
    True: (PatientTold, PatientNotTold),
}
_CHANGED = ("status", "reason", "sent_at", "next_attempt_at", "lease", "machine_lease_until")


class MessageEnded(Conflict):
    """The message has ended already; a message ends once."""


async def run(
    ctx: Context,
    tx: Transaction,
    endings: Sequence[tuple[Notification, Reason | None]],
    *,
    attempts: Mapping[UUID, Sequence[Attempt]],
) -> None:
    """End locked messages, `completed` without a reason; raises MessageEnded for one that ended before.

    `attempts` are all that were made.
    """
    versions = []
    for row, reason in endings:
        versions.append((row, row.version))
        apply(ctx, row, reason=reason)
        store.fill(row, render(ctx, row, attempts.get(row.id, ())), at=ctx.at)
    await store.update_all(tx, versions, *_CHANGED)
    await announce(ctx, tx, [row for row, _ in endings])


def apply(ctx: Context, row: Notification, *, reason: Reason | None) -> None:
    """Give a message its end; raises MessageEnded for one that ended before."""
    status = _ends_as(row, reason)
    if not may_become(Status(row.status), status):
        raise MessageEnded(f"notification {row.id} is {row.status} and cannot become {status}")
    row.status, row.reason, row.sent_at = status, reason, ctx.at if reason is None else None
    row.next_attempt_at = row.lease = row.machine_lease_until = None


def render(ctx: Context, row: Notification, attempts: Sequence[Attempt]) -> dict[str, object]:
    """Render a message with its attempts, as the Communication that readers get."""
    return fhir.messages.communication(ctx, row, attempts, text=text_of(row.event_type))


async def announce(ctx: Context, tx: Transaction, rows: Sequence[Notification], *, new: bool = False) -> None:
    """Publish what became of messages that have ended, and alert whoever must look.

    `new` ones have not been inserted yet.
    """
    publications = []
    for row in rows:
        event = _EVENTS[row.audience == Audience.PATIENT][row.reason is not None]
        made = event(patient_id=row.event_key, referral_id=row.referral_id, resources=(row.body,))
        with handler_span("notification.ended", traceparent=row.traceparent):
            publications.append(Publication(ctx=replace(ctx, cause=row.event_id), of=row, event=made))
        _count(tx, row)
    ids = await (publish_first(tx, publications) if new else publish_all(tx, publications))
    alerts = [
        alert
        for row, event_id in zip(rows, ids, strict=True)
        if row.reason in _SOMEBODY_MUST_LOOK
        for alert in _alerts(ctx, row, event_id=event_id)
    ]
    await append_entries(tx, alerts)


async def append_entries(tx: Transaction, entries: Sequence[FeedEntry]) -> None:
    """Put entries on their way to the feed's log."""
    if not entries:
        return
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
