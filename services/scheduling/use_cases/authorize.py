"""The payer's newest answer decides what sessions stand."""

from uuid import UUID

from services.scheduling import fhir, queries
from services.scheduling.models import Funding
from services.scheduling.states import ReferralState
from services.scheduling.use_cases.settle_series import settle_series
from shared.context import Context
from shared.db import Transaction
from shared.events.envelope import Event


async def hear_authorization(ctx: Context, tx: Transaction, referral_id: UUID, *, event: Event) -> bool:
    """Record the newest answer and settle the series; tell whether the referral is known.

    After the end of a referral an answer changes nothing.
    """
    referral = await queries.locked_referral(tx, referral_id)
    if referral is None or referral.state == ReferralState.ENDED:
        return referral is not None
    sessions = ctx.clinic.programme(referral.programme).sessions
    heard = fhir.decided_funding(event, discipline=sessions.discipline if sessions else None)
    funding = await queries.funding_of(tx, referral_id)
    if funding is None:
        funding = Funding(referral_id=referral_id, claim_id=heard.claim_id, status=heard.status)
    funding.claim_id, funding.status, funding.payer = heard.claim_id, heard.status, heard.payer
    funding.units, funding.starts_on, funding.ends_on = heard.units, heard.starts_on, heard.ends_on
    tx.add(funding)
    await settle_series(ctx, tx, referral)
    return True
