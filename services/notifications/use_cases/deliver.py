"""Deliver to a receiver: take its first open message, record what became of it, end what is left over."""

import msgspec

from services.notifications import fhir, queries
from services.notifications.models.rows import Notification
from services.notifications.rules import audiences, delivery
from services.notifications.states import Audience, Outcome
from services.notifications.use_cases import record, take
from services.notifications.use_cases.record import Result
from services.notifications.use_cases.take import Lease, Outgoing
from shared.clinic import Webhook
from shared.context import Context
from shared.db import Transaction
from shared.reasons import Reason


async def take_next(
    ctx: Context, tx: Transaction, receiver: Webhook, *, lease: Lease
) -> tuple[bool, Outgoing | None]:
    """Take the first open message of a receiver, if it is due; the later ones wait behind it.

    Give whether there was one, and what is to be sent; a message that must not go out is ended at once.
    """
    row = await queries.receivers.next_delivery(
        tx, recipient=receiver.recipient, now=ctx.at, machine_now=lease.machine_now
    )
    if row is None:
        return False, None
    if (reason := await _held_back(tx, row, receiver)) is not None:
        await take.end_all(ctx, tx, [(row, reason)])
        return True, None
    await take.start_attempts(ctx, tx, [row], lease=lease)
    return True, Outgoing(
        id=row.id,
        lease=lease.token,
        address=receiver.url,
        event_type=row.event_type,
        body=msgspec.json.encode(fhir.messages.webhook_message(ctx, row)),
    )


async def record_delivery(
    ctx: Context, tx: Transaction, receiver: Webhook, sent: Outgoing, result: Result
) -> None:
    """Record an attempt under its lease; a receiver that refused for good has ended."""
    recorded = await record.run(ctx, tx, sent, result)
    if recorded and result.outcome is Outcome.REFUSED:
        await queries.receivers.end_receiver(tx, receiver.id, at=ctx.at)


async def end_left_over(ctx: Context, tx: Transaction) -> None:
    """End what waits for receivers that do not stand in clinic.yaml any more."""
    registered = {receiver.recipient for receiver in ctx.clinic.webhooks}
    rows = await queries.receivers.left_over(tx, recipients=registered)
    await take.end_all(ctx, tx, [(row, delivery.NO_RECEIVER) for row in rows])


async def _held_back(tx: Transaction, row: Notification, receiver: Webhook) -> Reason | None:
    if await queries.receivers.has_ended(tx, receiver.id):
        return delivery.ENDED
    parties = await take.parties_of(tx, [row])
    return audiences.still_wanted(Audience(row.audience), row.recipient, parties[row.id])
