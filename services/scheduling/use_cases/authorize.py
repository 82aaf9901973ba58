"""The payer's newest answer decides what sessions stand."""

from uuid import UUID

from services.scheduling import queries
from services.scheduling.models import Funding
from services.scheduling.states import ReferralState
from services.scheduling.use_cases.settle_series import settle_series
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.referral import AuthorizationEvent


async def hear_authorization(ctx: Context, tx: Transaction, event: AuthorizationEvent) -> bool:
    """Record the newest answer and settle the series; tell whether the referral is known.

    After the end of a referral an answer changes nothing.
    """
    referral = await queries.locked_referral(tx, UUID(event.referral))
    if referral is None or referral.state == ReferralState.ENDED:
        return referral is not None
    sessions = ctx.clinic.programme(referral.programme).sessions
    grant = event.grant_for(sessions.discipline if sessions else None)
    funding = await queries.funding_of(tx, referral.id)
    if funding is None:
        funding = Funding(referral_id=referral.id, claim_id=event.claim_id, status=event.status)
    funding.claim_id, funding.status, funding.payer = event.claim_id, event.status, event.payer
    funding.units, funding.starts_on, funding.ends_on = grant.units, grant.starts_on, grant.ends_on
    tx.add(funding)
    await settle_series(ctx, tx, referral)
    return True
