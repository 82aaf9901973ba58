"""Take the messages that are due: what may go out is leased, what must not is ended at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.notifications import queries
from services.notifications.models import Attempt, Notification
from services.notifications.rules import sending
from services.notifications.rules.audiences import Standing, address, still_wanted
from services.notifications.rules.told import Audience
from services.notifications.states import Status
from services.notifications.use_cases import end
from shared.context import Context
from shared.db import Transaction
from shared.fhir import store


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
    rows = await queries.sending.claim_due(tx, now=ctx.at, machine_now=lease.machine_now, limit=limit)
    standings = await standings_of(tx, rows)
    attempts = await queries.sending.attempts(tx, [row.id for row in rows if row.attempts])

    outgoing = []
    for row in rows:
        standing = standings[row.id]
        found = address(row.recipient, clinic=ctx.clinic)
        reason = still_wanted(Audience(row.audience), row.recipient, standing)
        reason = reason or (None if has_server else sending.NO_SERVER)
        if reason is not None or found is None:
            made = attempts.get(row.id, [])
            why = reason or sending.NO_ADDRESS
            await end.run(ctx, tx, row, attempts=made, reason=why)
        else:
            await start_attempt(ctx, tx, row, lease=lease)
            outgoing.append(
                Outgoing(
                    id=row.id,
                    lease=lease.token,
                    address=found,
                    event_type=row.event_type,
                )
            )
    return len(rows), outgoing


async def standings_of(tx: Transaction, rows: Sequence[Notification]) -> Mapping[UUID, Standing]:
    """Read the memberships and consents of this moment, by which each message may still go out."""
    team = await queries.referrals.teams(tx, {row.referral_id for row in rows if row.referral_id})
    consented = await queries.referrals.consented(tx, {row.claim_id for row in rows if row.claim_id})
    return {
        row.id: Standing(
            team=team.get(row.referral_id or "", frozenset()), consented=row.claim_id in consented
        )
        for row in rows
    }


async def start_attempt(ctx: Context, tx: Transaction, row: Notification, *, lease: Lease) -> None:
    """Note an attempt under a lease, before the channel is tried."""
    await tx.insert(Attempt(notification_id=row.id, number=row.attempts + 1, at=ctx.at))
    changes: dict[str, Any] = {
        "attempts": row.attempts + 1,
        "lease": lease.token,
        "machine_lease_until": lease.machine_until,
    }
    if row.status == Status.PREPARATION:
        row.status = Status.IN_PROGRESS
        rendered = end.render(ctx, row, ())
        await store.update(tx, row, rendered, at=ctx.at, status=row.status, **changes)
    else:
        await tx.update(row, **changes)
