"""Keep what later events need: whose referral it is, which insurer is asked, who is on the team."""

from services.notifications import queries
from services.notifications.models import KnownAuthorization, KnownReferral, TeamMember
from services.notifications.use_cases.tell import expect_authorization, expect_referral
from shared.db import Transaction


async def keep_referral(tx: Transaction, known: KnownReferral) -> None:
    """Remember a referral that was received."""
    if await queries.referral(tx, known.id) is None:
        tx.add(known)
        await tx.flush()


async def keep_authorization(tx: Transaction, known: KnownAuthorization) -> None:
    """Remember an authorization that was asked for; raises NotYet where its referral is unknown."""
    await expect_referral(tx, known.referral_id)
    if await queries.authorization(tx, known.claim_id) is None:
        tx.add(known)
        await tx.flush()


async def keep_consent(tx: Transaction, claim_id: str, *, stands: bool) -> None:
    """Remember whether the insurer may hear of its Claim; raises NotYet where that is unknown."""
    known = await expect_authorization(tx, claim_id)
    known.consented = stands
    tx.add(known)
    await tx.flush()


async def keep_team(tx: Transaction, referral_id: str, *, members: frozenset[str]) -> None:
    """Remember who is on the team now; raises NotYet where the referral is unknown."""
    await expect_referral(tx, referral_id)
    await queries.forget_team(tx, referral_id)
    for member in sorted(members):
        tx.add(TeamMember(referral_id=referral_id, practitioner=member))
    await tx.flush()
