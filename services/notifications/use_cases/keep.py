"""Keep what later events need: whose referral it is, which insurer is asked, who is on the team."""

from dataclasses import replace

from services.notifications import queries
from services.notifications.models import KnownAuthorization, KnownReferral, TeamMember
from services.notifications.queries import Asked, Known, Whose
from shared.db import Transaction
from shared.events.inbox.handling import NotYet


def expect_referral(known: Known, referral_id: str) -> Whose:
    """Find a referral; raises NotYet while `referral.received` has not come."""
    referral = known.referrals.get(referral_id)
    if referral is None:
        raise NotYet(f"referral {referral_id} was not received yet")
    return referral


def expect_authorization(known: Known, claim_id: str) -> Asked:
    """Find an authorization; raises NotYet while `authorization.requested` has not come."""
    asked = known.claims.get(claim_id)
    if asked is None:
        raise NotYet(f"claim {claim_id} was not asked for yet")
    return asked


def keep_referral(tx: Transaction, received: KnownReferral, *, known: Known) -> None:
    """Remember a referral that was received."""
    if received.id not in known.referrals:
        tx.add(received)
        known.referrals[received.id] = Whose(
            patient=received.patient_id, requester=received.requester, site=received.site
        )


async def keep_site(tx: Transaction, told: KnownReferral, *, known: Known) -> None:
    """Remember the site that cares for a referral now; raises NotYet where the referral is unknown."""
    referral = expect_referral(known, told.id)
    if referral.site == told.site:
        return
    row = await queries.referral(tx, told.id)
    if row is not None:
        row.site = told.site
        tx.add(row)
    known.referrals[told.id] = replace(referral, site=told.site)


def keep_authorization(tx: Transaction, asked: KnownAuthorization, *, known: Known) -> None:
    """Remember an authorization that was asked for; raises NotYet where its referral is unknown."""
    expect_referral(known, asked.referral_id)
    if asked.claim_id not in known.claims:
        tx.add(asked)
        known.claims[asked.claim_id] = Asked(payer=asked.payer, consented=asked.consented)


async def keep_consent(tx: Transaction, claim_id: str, *, stands: bool, known: Known) -> None:
    """Remember whether the insurer may hear of its Claim; raises NotYet where that is unknown."""
    asked = expect_authorization(known, claim_id)
    row = await queries.authorization(tx, claim_id)
    if row is not None:
        row.consented = stands
        tx.add(row)
    known.claims[claim_id] = replace(asked, consented=stands)


async def keep_team(tx: Transaction, referral_id: str, *, members: frozenset[str], known: Known) -> None:
    """Remember who is on the team now; raises NotYet where the referral is unknown."""
    expect_referral(known, referral_id)
    before = known.teams.get(referral_id, frozenset())
    if before - members:
        await queries.forget_members(tx, referral_id, before - members)
    for member in sorted(members - before):
        tx.add(TeamMember(referral_id=referral_id, practitioner=member))
    known.teams[referral_id] = members
