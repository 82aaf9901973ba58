"""An insurer sees a Claim exactly while the patient's newest Consent allows it."""

from datetime import datetime, time, timedelta
from uuid import UUID

from services.referral import fhir
from services.referral.use_cases import record, referral_file
from services.referral.use_cases.changes import Changes
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import referral as events

CONSENT_END = "consent-end"


async def run(ctx: Context, tx: Transaction, referral_id: str) -> None:
    """Hide what a Consent that ran out no longer opens."""
    file = await referral_file.locked(tx, UUID(referral_id))
    if file is not None:
        changes = Changes(ctx, file)
        decide(ctx, changes)
        if changes.claims or changes.timers:
            await record.rest(ctx, tx, changes)


def decide(ctx: Context, changes: Changes) -> None:
    """Show or hide the referral's Claims, and look again when a Consent runs out."""
    file, referral = changes.file, changes.referral
    consents = file.facts(ctx).consents
    for claim in file.claims:
        stands = claim.payer in consents
        if claim.consented != stands:
            claim.consented = stands
            changes.change_claim(claim)
            changed = events.AuthorizationConsentGiven if stands else events.AuthorizationConsentWithdrawn
            changes.announce_claim(changed, claim)
    end = fhir.facts.consent_ends([data for _, data in file.enclosures], on=file.today(ctx))
    if end is not None:
        midnight = datetime.combine(end + timedelta(days=1), time(), ctx.clinic.site(referral.site).zone)
        changes.timers[CONSENT_END] = midnight
