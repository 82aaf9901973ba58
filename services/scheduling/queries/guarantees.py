"""The guarantee of a referral."""

from collections.abc import Collection, Sequence
from uuid import UUID

from services.scheduling.models.rows import Guarantee
from services.scheduling.models.tables import GuaranteeTable
from services.scheduling.queries import scope
from shared.auth.principal import Principal
from shared.db import Transaction

_LOCKED = "SELECT * FROM guarantee WHERE referral_id = $1 FOR UPDATE"
_LOCKED_ALL = "SELECT * FROM guarantee WHERE referral_id = ANY($1::uuid[]) ORDER BY referral_id FOR UPDATE"
_SAID_OTHERWISE = """
SELECT guarantee.referral_id AS id
FROM appointment JOIN guarantee ON guarantee.referral_id = appointment.referral_id
WHERE (appointment.id = ANY($1::uuid[]) AND guarantee.status = 'planned')
   OR (appointment.id = ANY($2::uuid[]) AND guarantee.status = 'forecast-breach')
"""


async def locked_of(tx: Transaction, referral_id: UUID) -> Guarantee:
    """Lock the guarantee of a referral; raises LookupError where it has none."""
    guarantee = await tx.row(Guarantee, _LOCKED, referral_id)
    if guarantee is None:
        raise LookupError(f"referral {referral_id} has no guarantee")
    return guarantee


async def locked_all(tx: Transaction, referral_ids: Collection[UUID]) -> dict[UUID, Guarantee]:
    """Lock the guarantees of referrals, and return them by these."""
    rows = await tx.rows(Guarantee, _LOCKED_ALL, list(referral_ids))
    return {row.referral_id: row for row in rows}


async def said_otherwise(
    tx: Transaction, *, late: Collection[UUID], in_time: Collection[UUID]
) -> Sequence[UUID]:
    """Read which referrals of first visits, of which a plan says whether they are late or in time, have a
    guarantee that says otherwise, without a lock.
    """
    records = await tx.records(_SAID_OTHERWISE, list(late), list(in_time))
    return [record["id"] for record in records]


async def visible_to(tx: Transaction, principal: Principal, guarantee_id: UUID | str) -> Guarantee | None:
    """Read a guarantee that this caller may see, without a lock."""
    visible = scope.guarantees(principal)
    return await scope.find(tx, Guarantee, guarantee_id, table=GuaranteeTable, visible=visible)
