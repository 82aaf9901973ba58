"""Which sessions of a referral took place: what is used of the units that an insurer granted."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from uuid import UUID

from services.referral.models.rows import HeldSession
from shared.db import Transaction

_RECORD = """
INSERT INTO held_session (appointment_id, referral_id, product) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""
_TAKE_BACK = "DELETE FROM held_session WHERE appointment_id = $1"
_USED = """
SELECT referral_id, product, count(*) AS units FROM held_session
WHERE referral_id = ANY($1::uuid[]) GROUP BY referral_id, product
"""


async def record(tx: Transaction, session: HeldSession) -> bool:
    """Remember that a session took place; return False where it is known."""
    return await tx.run(_RECORD, session.appointment_id, session.referral_id, session.product) == 1


async def take_back(tx: Transaction, appointment_id: UUID) -> bool:
    """Forget a session that did not take place after all; return False where it is not known."""
    return await tx.run(_TAKE_BACK, appointment_id) == 1


async def used(tx: Transaction, referral_ids: Collection[UUID]) -> Mapping[UUID, Mapping[str, int]]:
    """Count for each of these referrals the units of each product that are used; 0 for what is not there."""
    found: dict[UUID, Counter[str]] = defaultdict(Counter)
    for row in await tx.records(_USED, list(referral_ids)) if referral_ids else ():
        found[row["referral_id"]][row["product"]] = row["units"]
    return {referral_id: found[referral_id] for referral_id in referral_ids}
