"""Look for the open referrals of the same person of which a new one may be a duplicate."""

from collections.abc import Sequence
from datetime import timedelta

from services.referral import queries
from services.referral.models.rows import Referral
from shared.context import Context
from shared.db import Transaction


async def run(ctx: Context, tx: Transaction, referral: Referral) -> Sequence[Referral]:
    """Lock the person and list the open referrals inside the window, the oldest first."""
    await queries.patients.lock_person(tx, referral.patient_id)
    since = referral.sent_at - timedelta(days=ctx.clinic.duplicate_window_days)
    return await queries.referrals.open_of(tx, referral.patient_id, since=since, but=referral.id)
