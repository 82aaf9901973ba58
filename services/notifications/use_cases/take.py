"""Take the messages that are due: what may go out is leased, what must not is ended at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.notifications import queries
from services.notifications.models.rows import Attempt, Notification
from services.notifications.rules import audiences, delivery
from services.notifications.states import Audience, Channel, Status
from services.notifications.use_cases import end, write_to_patient
from services.notifications.use_cases.write_to_patient import ToPatient
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
    to_patient: ToPatient | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who takes messages, and for how long in machine time."""

    token: UUID
    machine_now: datetime
    machine_until: datetime


async def run(
    ctx: Context,
    tx: Transaction,
    *,
    channel: Channel,
    lease: Lease,
    limit: int,
    has_way: bool,
    new_secret: Callable[[], str],
) -> tuple[int, list[Outgoing]]:
    """Take at most `limit` messages of a channel; give how many were found and those that are to be sent.

    Where there is no way (`has_way`), all of them end; `new_secret` makes those of patients' links.
    """
    rows = await queries.messages.claim_due(
        tx, channel=channel, now=ctx.at, machine_now=lease.machine_now, limit=limit
    )
    parties = await parties_of(tx, rows)
    known = await write_to_patient.load(tx, rows)
    endings, leased, outgoing = [], [], []
    for row in rows:
        address, reason = _address(ctx, row, parties=parties[row.id], known=known)
        reason = reason or (None if has_way else delivery.NO_WAY[channel])
        if reason is not None or address is None:
            endings.append((row, reason or delivery.NO_ADDRESS))
            continue
        leased.append(row)
        outgoing.append(
            Outgoing(
                id=row.id,
                lease=lease.token,
                address=address,
                event_type=row.event_type,
                to_patient=write_to_patient.prepare(
                    ctx, row, known=known, address=address, new_secret=new_secret
                ),
            )
        )
    await end_all(ctx, tx, endings)
    await start_attempts(ctx, tx, leased, lease=lease)
    await write_to_patient.keep_links(tx, known)
    return len(rows), outgoing


def _address(
    ctx: Context, row: Notification, *, parties: audiences.Parties, known: write_to_patient.ToPatients
) -> tuple[str | None, Reason | None]:
    """Give the address of a message's recipient, and why it must not go out, where it must not."""
    if row.audience == Audience.PATIENT:
        return write_to_patient.address(ctx, row, known=known), write_to_patient.why_not(
            ctx, row, known=known
        )
    reason = audiences.still_wanted(Audience(row.audience), row.recipient, parties)
    return audiences.address(row.recipient, clinic=ctx.clinic), reason


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
