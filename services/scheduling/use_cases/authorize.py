"""The payer's newest answer decides what sessions stand."""

from uuid import UUID

from services.scheduling import queries
from services.scheduling.models.grants import GrantedSessions
from services.scheduling.models.rows import Funding
from services.scheduling.states import ReferralState
from services.scheduling.use_cases import reconcile_series
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.referral import AuthorizationEvent


async def run(ctx: Context, tx: Transaction, event: AuthorizationEvent) -> bool:
    """Record the newest answer and reconcile the series with it; return whether the referral is known.

    After the end of a referral an answer changes nothing.
    """
    referral = await queries.referrals.locked(tx, UUID(event.referral))
    if referral is None or referral.state == ReferralState.ENDED:
        return referral is not None
    funding = Funding(
        referral_id=referral.id,
        claim_id=event.claim_id,
        status=event.status,
        payer=event.payer,
        grants=[
            GrantedSessions(
                discipline=grant.discipline,
                units=grant.units,
                starts_on=grant.starts_on,
                ends_on=grant.ends_on,
            )
            for grant in event.grants
        ],
    )
    await tx.upsert(funding)
    firsts = await queries.appointments.firsts_of(tx, referral.id)
    await reconcile_series.run(ctx, tx, referral, firsts=firsts)
    return True
