"""Take the messages that are due: what may go out is leased, what must not is ended at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.notifications import queries
from services.notifications.models import Attempt, Notification
from services.notifications.rules import audiences, delivery
from services.notifications.states import Audience, Status
from services.notifications.use_cases import end
from shared.context import Context
from shared.db import Transaction
from shared.fhir import store
from shared.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message that this worker may hand to its channel while the lease lasts."""

    id: UUID
    lease: UUID
    address: str
    event_type: str
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who takes messages, and for how long in machine time."""

    token: UUID
    machine_now: datetime
    machine_until: datetime


async def run(
    ctx: Context, tx: Transaction, *, lease: Lease, limit: int, has_server: bool
) -> tuple[int, list[Outgoing]]:
    """Take at most `limit` messages; give how many were found and those that are to be sent."""
    rows = await queries.messages.claim_due(tx, now=ctx.at, machine_now=lease.machine_now, limit=limit)
    parties = await parties_of(tx, rows)
    endings, leased, outgoing = [], [], []
    for row in rows:
        address = audiences.address(row.recipient, clinic=ctx.clinic)
        reason = audiences.still_wanted(Audience(row.audience), row.recipient, parties[row.id])
        reason = reason or (None if has_server else delivery.NO_SERVER)
        if reason is not None or address is None:
            endings.append((row, reason or delivery.NO_ADDRESS))
        else:
            leased.append(row)
            outgoing.append(
                Outgoing(id=row.id, lease=lease.token, address=address, event_type=row.event_type)
            )
    await end_all(ctx, tx, endings)
    await start_attempts(ctx, tx, leased, lease=lease)
    return len(rows), outgoing


async def end_all(ctx: Context, tx: Transaction, endings: Sequence[tuple[Notification, Reason]]) -> None:
    """End messages that must not go out, with the attempts that were made before."""
    tried = [row.id for row, _ in endings if row.attempts]
    await end.run(ctx, tx, endings, attempts=await queries.messages.attempts(tx, tried))


async def parties_of(tx: Transaction, rows: Sequence[Notification]) -> Mapping[UUID, audiences.Parties]:
    """Read the memberships and consents of this moment, by which each message may still go out."""
    team = await queries.referrals.teams(tx, {row.referral_id for row in rows if row.referral_id})
    consented = await queries.referrals.consented(tx, {row.claim_id for row in rows if row.claim_id})
    return {
        row.id: audiences.Parties(
            team=team.get(row.referral_id or "", frozenset()), consented=row.claim_id in consented
        )
        for row in rows
    }


async def start_attempts(
    ctx: Context, tx: Transaction, rows: Sequence[Notification], *, lease: Lease
) -> None:
    """Note an attempt of each message under a lease, before the channel is tried."""
    begun = []
    for row in rows:
        row.attempts += 1
        row.lease, row.machine_lease_until = lease.token, lease.machine_until
        if row.status == Status.PREPARATION:
            begun.append((row, row.version))
            row.status = Status.IN_PROGRESS
            store.fill(row, end.render(ctx, row, ()), at=ctx.at)
    await tx.insert(*(Attempt(notification_id=row.id, number=row.attempts, at=ctx.at) for row in rows))
    await store.update_all(tx, begun, "status")
    await tx.update_all(rows, "attempts", "lease", "machine_lease_until")
