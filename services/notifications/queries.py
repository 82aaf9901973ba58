"""Every SELECT of this service, the claim of what is due, and the row scope of its messages."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, false, or_, select
from sqlmodel import col

from services.notifications.models import (
    Attempt,
    KnownAuthorization,
    KnownReferral,
    Notification,
    TeamMember,
)
from services.notifications.states import OPEN, Audience
from shared.auth.principal import Principal
from shared.db import Database, Transaction
from shared.events.reading import fetch


async def referral(tx: Transaction, referral_id: str) -> KnownReferral | None:
    """Find what is known of a referral."""
    return await tx.get(KnownReferral, referral_id)


async def authorization(tx: Transaction, claim_id: str) -> KnownAuthorization | None:
    """Find what is known of an authorization."""
    return await tx.get(KnownAuthorization, claim_id)


async def teams(tx: Transaction, referral_ids: Collection[str]) -> Mapping[str, frozenset[str]]:
    """Name the current members of the team of each of these referrals."""
    rows = await tx.all(select(TeamMember).where(col(TeamMember.referral_id).in_(referral_ids)))
    members: dict[str, set[str]] = {}
    for row in rows:
        members.setdefault(row.referral_id, set()).add(row.practitioner)
    return {referral_id: frozenset(found) for referral_id, found in members.items()}


async def consented(tx: Transaction, claim_ids: Collection[str]) -> frozenset[str]:
    """Name those of these Claims for which the patient's consent to the insurer stands."""
    found = await tx.all(
        select(col(KnownAuthorization.claim_id)).where(
            col(KnownAuthorization.claim_id).in_(claim_ids), col(KnownAuthorization.consented)
        )
    )
    return frozenset(found)


async def forget_team(tx: Transaction, referral_id: str) -> None:
    """Remove every member of a team, before its members of now are written."""
    await tx.execute(delete(TeamMember).where(col(TeamMember.referral_id) == referral_id))


async def told(tx: Transaction, event_id: str) -> frozenset[tuple[str, str]]:
    """Name the (recipient, channel) pairs that were told of an event already."""
    rows = await tx.all(select(Notification).where(col(Notification.event_id) == event_id))
    return frozenset((row.recipient, row.channel) for row in rows)


async def claim_due(
    tx: Transaction, *, now: datetime, machine_now: datetime, limit: int
) -> Sequence[Notification]:
    """Lock messages that are due and that nobody holds a lease on; what others lock is left to them."""
    return await tx.all(
        select(Notification)
        .where(
            _due(now),
            or_(
                col(Notification.machine_lease_until).is_(None),
                col(Notification.machine_lease_until) <= machine_now,
            ),
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


async def attempts(tx: Transaction, notification_id: UUID) -> Sequence[Attempt]:
    """List the attempts of a message in order."""
    return await tx.all(
        select(Attempt).where(col(Attempt.notification_id) == notification_id).order_by(col(Attempt.number))
    )


async def due(database: Database, *, now: datetime) -> int:
    """Count the messages that are due, in one round trip: it is asked for all the time."""
    rows = await fetch(
        database,
        "SELECT count(*) FROM notification WHERE status = ANY($1) AND next_attempt_at <= $2",
        list(OPEN),
        now,
    )
    return int(rows[0][0])


async def next_due(database: Database) -> datetime | None:
    """Tell when the next message is due, in one round trip."""
    rows = await fetch(
        database, "SELECT min(next_attempt_at) FROM notification WHERE status = ANY($1)", list(OPEN)
    )
    found: datetime | None = rows[0][0]
    return found


def visible_to(reader: Principal) -> ColumnElement[bool]:
    """Cut messages to the reader's scope: a coordinator its site's, everybody else what was sent to them."""
    match reader.party:
        case "coordinator":
            return col(Notification.site) == reader.site if reader.site else false()
        case "clinician":
            return and_(
                col(Notification.recipient) == f"Practitioner/{reader.practitioner}", _on_team(reader)
            )
        case "referrer":
            return _sent_to(reader, Audience.REFERRER)
        case "insurer":
            return and_(_sent_to(reader, Audience.INSURER), _claim_consented())
        case _:
            return false()


def _sent_to(reader: Principal, audience: Audience) -> ColumnElement[bool]:
    return and_(
        col(Notification.recipient) == f"Organization/{reader.organization}",
        col(Notification.audience).in_([audience, Audience.OWNER]),
    )


def _on_team(reader: Principal) -> ColumnElement[bool]:
    """What was told to a team is its members', and whoever left it sees nothing of the patient any more."""
    member = exists().where(
        col(TeamMember.referral_id) == col(Notification.referral_id),
        col(TeamMember.practitioner) == reader.practitioner,
    )
    return or_(col(Notification.audience) != Audience.TEAM, member)


def _claim_consented() -> ColumnElement[bool]:
    return exists().where(
        col(KnownAuthorization.claim_id) == col(Notification.claim_id), col(KnownAuthorization.consented)
    )


def _due(now: datetime) -> ColumnElement[bool]:
    return and_(col(Notification.status).in_(OPEN), col(Notification.next_attempt_at) <= now)
