"""Every SELECT of this service, the claim of what is due, and the row scope of its messages."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, false, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from services.notifications.models import (
    Attempt,
    KnownAuthorization,
    Notification,
    TeamMember,
)
from services.notifications.states import OPEN, Audience, Channel
from shared.auth.principal import Principal
from shared.db import Database, Transaction
from shared.events.reading import fetch

_KNOWN = """
SELECT id, patient_id, requester, site,
       ARRAY(SELECT practitioner FROM team_member WHERE referral_id = known_referral.id) AS team
FROM known_referral WHERE id = ANY($1::text[])
"""
_AUTHORIZATIONS = """
SELECT claim_id, payer, consented FROM known_authorization WHERE claim_id = ANY($1::text[])
"""
_TOLD = "SELECT event_id, recipient, channel FROM notification WHERE event_id = ANY($1::text[])"
_LEFT = """
DELETE FROM team_member USING unnest($1::text[], $2::text[]) AS gone (referral, member)
WHERE referral_id = gone.referral AND practitioner = gone.member
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Whose referral it is, and which site cares for it."""

    patient: str
    requester: str
    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which insurer was asked, and whether the patient's consent to it stands."""

    payer: str
    consented: bool


@dataclass(slots=True, kw_only=True)
class Known:
    """What is known of some referrals (by id) and claims, and which messages of some events are written.

    Whoever keeps something new puts it here too, so that the next event of the same transaction knows it.
    """

    referrals: dict[str, Whose]
    teams: dict[str, frozenset[str]]
    claims: dict[str, Asked]
    told: Collection[tuple[str, str, str]]


async def known(
    tx: Transaction, *, referrals: Collection[str], claims: Collection[str], events: Collection[str]
) -> Known:
    """Read all of it at once."""
    driver = await tx.driver()
    rows = await driver.fetch(_KNOWN, list(referrals)) if referrals else []
    asked = await driver.fetch(_AUTHORIZATIONS, list(claims)) if claims else []
    return Known(
        referrals={
            row["id"]: Whose(patient=row["patient_id"], requester=row["requester"], site=row["site"])
            for row in rows
        },
        teams={row["id"]: frozenset(row["team"]) for row in rows},
        claims={row["claim_id"]: Asked(payer=row["payer"], consented=row["consented"]) for row in asked},
        told={tuple(row) for row in await driver.fetch(_TOLD, list(events))},
    )


async def authorization(tx: Transaction, claim_id: str) -> KnownAuthorization | None:
    """Find what is known of an authorization."""
    return await tx.get(KnownAuthorization, claim_id)


async def teams(tx: Transaction, referral_ids: Collection[str]) -> Mapping[str, frozenset[str]]:
    """Name the current members of the team of each of these referrals."""
    if not referral_ids:
        return {}
    rows = await tx.all(select(TeamMember).where(col(TeamMember.referral_id).in_(referral_ids)))
    members: dict[str, set[str]] = {}
    for row in rows:
        members.setdefault(row.referral_id, set()).add(row.practitioner)
    return {referral_id: frozenset(found) for referral_id, found in members.items()}


async def consented(tx: Transaction, claim_ids: Collection[str]) -> frozenset[str]:
    """Name those of these Claims for which the patient's consent to the insurer stands."""
    if not claim_ids:
        return frozenset()
    found = await tx.all(
        select(col(KnownAuthorization.claim_id)).where(
            col(KnownAuthorization.claim_id).in_(claim_ids), col(KnownAuthorization.consented)
        )
    )
    return frozenset(found)


async def forget_members(tx: Transaction, referral_id: str, members: Collection[str]) -> None:
    """Remove those who left a team."""
    driver = await tx.driver()
    await driver.execute(_LEFT, [referral_id] * len(members), sorted(members))


async def claim_due(
    tx: Transaction, *, now: datetime, machine_now: datetime, limit: int
) -> Sequence[Notification]:
    """Lock e-mails that are due and that nobody holds a lease on; what others lock is left to them."""
    return await tx.all(
        select(Notification)
        .where(
            _due(now),
            col(Notification.channel) == Channel.EMAIL,
            _unleased(machine_now),
        )
        .order_by(col(Notification.next_attempt_at), col(Notification.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


async def next_delivery(
    tx: Transaction, *, recipient: str, now: datetime, machine_now: datetime
) -> Notification | None:
    """Lock the first open message of a receiver; None where there is none, or it is not due, or leased."""
    first = select(col(Notification.id)).where(_open_for(recipient)).order_by(col(Notification.id)).limit(1)
    return await tx.first(
        select(Notification)
        .where(
            col(Notification.id) == first.scalar_subquery(),
            _due(now),
            _unleased(machine_now),
            ~_in_flight(recipient, machine_now),
        )
        .with_for_update(skip_locked=True)
    )


async def delivery_due(database: Database, *, recipient: str) -> datetime | None:
    """Tell when the first open message of a receiver is due: the others wait behind it."""
    rows = await fetch(
        database,
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
        mine = select(Attempt).where(col(Attempt.notification_id).in_(messages))
        for row in await tx.all(mine.order_by(col(Attempt.notification_id), col(Attempt.number))):
            found.setdefault(row.notification_id, []).append(row)
    return found


async def due(database: Database, *, now: datetime) -> int:
    """Count the e-mails that are due, in one round trip: it is asked for all the time."""
    rows = await fetch(
        database,
        "SELECT count(*) FROM notification WHERE status = ANY($1) AND channel = $2 AND next_attempt_at <= $3",
        list(OPEN),
        Channel.EMAIL,
        now,
    )
    return int(rows[0][0])


async def next_due(database: Database) -> datetime | None:
    """Tell when the next e-mail is due, in one round trip."""
    rows = await fetch(
        database,
        "SELECT min(next_attempt_at) FROM notification WHERE status = ANY($1) AND channel = $2",
        list(OPEN),
        Channel.EMAIL,
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


def _unleased(machine_now: datetime) -> ColumnElement[bool]:
    until = col(Notification.machine_lease_until)
    return or_(until.is_(None), until <= machine_now)


def _due(now: datetime) -> ColumnElement[bool]:
    return and_(col(Notification.status).in_(OPEN), col(Notification.next_attempt_at) <= now)
