"""A patient cannot come on days that were told after acceptance: they count as delay, and are booked no more.

What is booked stands until a person moves it or calls it off.
"""

from uuid import UUID

from services.scheduling import queries, rules
from services.scheduling.use_cases import evaluate_guarantee
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.referral import ReferralAnotherTimeRequested


async def run(ctx: Context, tx: Transaction, event: ReferralAnotherTimeRequested) -> None:
    """Take over every day that the event names; a referral that is not known was never accepted."""
    referral = await queries.referrals.locked(tx, UUID(event.referral))
    if referral is None:
        return
    away = rules.calendar.spans_away(event.unavailable, ctx.clinic.site(referral.site).zone)
    if away != referral.unavailable:
        await tx.update(referral, unavailable=away)
        await evaluate_guarantee.run(ctx, tx, referral.id)
