"""What is known of referrals, claims and teams: by it is decided who is told."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from asyncpg import Record

from services.notifications.models.rows import (
    KnownAuthorization,
    KnownOffer,
    KnownPatient,
    KnownReferral,
    KnownVisit,
    TeamMember,
)
from services.notifications.queries import visits
from shared.db import Transaction

# Of a patient who permits no channel nothing is read: they are told by no message.
_KNOWN = """
SELECT referral.id, referral.patient_id, referral.requester, referral.site,
       ARRAY(SELECT practitioner FROM team_member WHERE referral_id = referral.id) AS team,
       patient.event_version, patient.person, patient.contact_points, patient.channel_consents
FROM known_referral referral
LEFT JOIN known_patient patient
  ON patient.id = referral.patient_id AND jsonb_array_length(patient.channel_consents) > 0
WHERE referral.id = ANY($1::text[])
"""
_AUTHORIZATIONS = """
SELECT claim_id, payer, consented FROM known_authorization WHERE claim_id = ANY($1::text[])
"""
_WRITTEN = "SELECT event_id, recipient, channel FROM notification WHERE event_id = ANY($1::text[])"
_MEMBERS = "SELECT referral_id, practitioner FROM team_member WHERE referral_id = ANY($1::text[])"
_CONSENTED = "SELECT claim_id FROM known_authorization WHERE claim_id = ANY($1::text[]) AND consented"
_LEFT = """
DELETE FROM team_member USING unnest($1::text[], $2::text[]) AS gone (referral, member)
WHERE referral_id = gone.referral AND practitioner = gone.member
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralParties:
    """Whose referral it is, and which site cares for it."""

    patient: str
    requester: str
    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationParties:
    """Which insurer was asked, and whether the patient's consent to it stands."""

    payer: str
    consented: bool


@dataclass(slots=True, kw_only=True)
class ReferralContext:
    """What is known of some referrals (by id) and claims, and which messages of some events are written.

    `patients` are those of the referrals who permit a channel. `leads` are the clinicians of visits that an
    event of these gives to somebody else or another room, `handed_over` those with another clinician now.

    Whoever learns something puts it here, so that the next event of the same batch knows it, and into the
    rows that `save` writes.
    """

    referrals: dict[str, ReferralParties]
    teams: dict[str, frozenset[str]]
    claims: dict[str, AuthorizationParties]
    written: Collection[tuple[str, str, str]]
    patients: dict[str, KnownPatient] = field(default_factory=dict)
    new_referrals: dict[str, KnownReferral] = field(default_factory=dict)
    new_claims: dict[str, KnownAuthorization] = field(default_factory=dict)
    new_sites: dict[str, str] = field(default_factory=dict)
    new_consents: dict[str, bool] = field(default_factory=dict)
    joined: set[tuple[str, str]] = field(default_factory=set)
    left: set[tuple[str, str]] = field(default_factory=set)
    visits: list[KnownVisit] = field(default_factory=list)
    offers: list[KnownOffer] = field(default_factory=list)
    leads: dict[str, str | None] = field(default_factory=dict)
    handed_over: set[str] = field(default_factory=set)


async def load(
    tx: Transaction,
    *,
    referrals: Collection[str],
    claims: Collection[str],
    events: Collection[str],
    reassigned: Collection[str],
) -> ReferralContext:
    """Read all of it at once; `reassigned` are visits with another clinician or room."""
    before = await visits.named(tx, reassigned)
    rows = await tx.records(_KNOWN, list(referrals)) if referrals else []
    asked = await tx.records(_AUTHORIZATIONS, list(claims)) if claims else []
    return ReferralContext(
        referrals={
            row["id"]: ReferralParties(
                patient=row["patient_id"], requester=row["requester"], site=row["site"]
            )
            for row in rows
        },
        teams={row["id"]: frozenset(row["team"]) for row in rows},
        claims={
            row["claim_id"]: AuthorizationParties(payer=row["payer"], consented=row["consented"])
            for row in asked
        },
        patients=_patients(rows),
        leads={visit.id: visit.practitioner for visit in before.values()},
        written={tuple(row) for row in await tx.records(_WRITTEN, list(events))},
    )


def _patients(rows: Sequence[Record]) -> dict[str, KnownPatient]:
    return {
        row["patient_id"]: KnownPatient(
            id=row["patient_id"],
            event_version=row["event_version"],
            person=row["person"],
            contact_points=row["contact_points"],
            channel_consents=row["channel_consents"],
        )
        for row in rows
        if row["person"] is not None
    }


async def save(tx: Transaction, known: ReferralContext) -> None:
    """Write what was learned."""
    await tx.insert(*known.new_referrals.values())
    await visits.learn(tx, known.visits)
    await tx.upsert(*known.offers)
    await tx.run_many("UPDATE known_referral SET site = $2 WHERE id = $1", sorted(known.new_sites.items()))
    await tx.insert(*known.new_claims.values())
    await tx.run_many(
        "UPDATE known_authorization SET consented = $2 WHERE claim_id = $1",
        sorted(known.new_consents.items()),
    )
    if known.left:
        referrals, members = zip(*sorted(known.left), strict=True)
        await tx.run(_LEFT, list(referrals), list(members))
    await tx.insert(
        *(
            TeamMember(referral_id=referral_id, practitioner=member)
            for referral_id, member in sorted(known.joined)
        )
    )


async def teams(tx: Transaction, referral_ids: Collection[str]) -> Mapping[str, frozenset[str]]:
    """Return the current members of the team of each of these referrals."""
    if not referral_ids:
        return {}
    members: dict[str, set[str]] = {}
    for row in await tx.records(_MEMBERS, list(referral_ids)):
        members.setdefault(row["referral_id"], set()).add(row["practitioner"])
    return {referral_id: frozenset(found) for referral_id, found in members.items()}


async def consented(tx: Transaction, claim_ids: Collection[str]) -> frozenset[str]:
    """Return those of these Claims for which the patient's consent to the insurer stands."""
    if not claim_ids:
        return frozenset()
    return frozenset(row["claim_id"] for row in await tx.records(_CONSENTED, list(claim_ids)))
