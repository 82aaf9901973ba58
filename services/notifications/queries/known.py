"""What is known of referrals, claims and teams: by it is decided who is told."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from services.notifications.models import KnownAuthorization, KnownReferral
from shared.db import Transaction

_KNOWN = """
SELECT id, patient_id, requester, site,
       ARRAY(SELECT practitioner FROM team_member WHERE referral_id = known_referral.id) AS team
FROM known_referral WHERE id = ANY($1::text[])
"""
_AUTHORIZATIONS = """
SELECT claim_id, payer, consented FROM known_authorization WHERE claim_id = ANY($1::text[])
"""
_TOLD = "SELECT event_id, recipient, channel FROM notification WHERE event_id = ANY($1::text[])"
_MEMBERS = "SELECT referral_id, practitioner FROM team_member WHERE referral_id = ANY($1::text[])"
_CONSENTED = "SELECT claim_id FROM known_authorization WHERE claim_id = ANY($1::text[]) AND consented"
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
    rows = await tx.fetch(_KNOWN, list(referrals)) if referrals else []
    asked = await tx.fetch(_AUTHORIZATIONS, list(claims)) if claims else []
    return Known(
        referrals={
            row["id"]: Whose(patient=row["patient_id"], requester=row["requester"], site=row["site"])
            for row in rows
        },
        teams={row["id"]: frozenset(row["team"]) for row in rows},
        claims={row["claim_id"]: Asked(payer=row["payer"], consented=row["consented"]) for row in asked},
        told={tuple(row) for row in await tx.fetch(_TOLD, list(events))},
    )


async def referral(tx: Transaction, referral_id: str) -> KnownReferral | None:
    """Find what is known of a referral."""
    return await tx.get(KnownReferral, referral_id)


async def authorization(tx: Transaction, claim_id: str) -> KnownAuthorization | None:
    """Find what is known of an authorization."""
    return await tx.get(KnownAuthorization, claim_id)


async def teams(tx: Transaction, referral_ids: Collection[str]) -> Mapping[str, frozenset[str]]:
    """Name the current members of the team of each of these referrals."""
    if not referral_ids:
        return {}
    members: dict[str, set[str]] = {}
    for row in await tx.fetch(_MEMBERS, list(referral_ids)):
        members.setdefault(row["referral_id"], set()).add(row["practitioner"])
    return {referral_id: frozenset(found) for referral_id, found in members.items()}


async def consented(tx: Transaction, claim_ids: Collection[str]) -> frozenset[str]:
    """Name those of these Claims for which the patient's consent to the insurer stands."""
    if not claim_ids:
        return frozenset()
    return frozenset(row["claim_id"] for row in await tx.fetch(_CONSENTED, list(claim_ids)))


async def forget_members(tx: Transaction, referral_id: str, members: Collection[str]) -> None:
    """Remove those who left a team."""
    driver = await tx.driver()
    await driver.execute(_LEFT, [referral_id] * len(members), sorted(members))
