"""An insurer sees a Claim exactly while the patient's newest Consent allows it."""

from datetime import datetime, time, timedelta
from uuid import UUID

from services.referral import fhir, queries
from services.referral.models import Claim, Referral
from services.referral.use_cases.gathering import Gathered, facts_of, gather, local_day
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import referral as events
from shared.events.outbox import publishing

CONSENT_END = "consent-end"


async def follow_consent(ctx: Context, tx: Transaction, referral: Referral, gathered: Gathered) -> None:
    """Show or hide the referral's Claims, and look again when a Consent runs out."""
    on = local_day(ctx, ctx.at, site=referral.site)
    consents = facts_of(ctx, gathered, on=on).consents
    for claim in await queries.claims_of(tx, referral.id):
        _open_or_hide(ctx, tx, claim, stands=claim.payer in consents)
    end = fhir.consent_ends([data for _, data in gathered.enclosures], on=on)
    if end is not None:
        midnight = datetime.combine(end + timedelta(days=1), time(), ctx.clinic.site(referral.site).zone)
        await timers.schedule(tx, kind=CONSENT_END, ref=str(referral.id), due=midnight)


def _open_or_hide(ctx: Context, tx: Transaction, claim: Claim, *, stands: bool) -> None:
    """Tell where the insurer's view changes, so that nobody shows it what is hidden here."""
    if claim.consented == stands:
        return
    claim.consented = stands
    changed = events.AuthorizationConsentGiven if stands else events.AuthorizationConsentWithdrawn
    publishing.collect(tx, changed, of=claim, key=str(claim.patient_id), focus=claim.body, ctx=ctx)


async def look_at_consent_again(ctx: Context, tx: Transaction, referral_id: str) -> None:
    """Hide what a Consent that ran out no longer opens."""
    referral = await tx.get(Referral, UUID(referral_id), lock=True)
    if referral is not None:
        await follow_consent(ctx, tx, referral, await gather(tx, referral))
