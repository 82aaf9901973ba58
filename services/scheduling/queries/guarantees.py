"""The guarantee of a referral."""

from uuid import UUID

from sqlalchemy import select

from services.scheduling.models.rows import Guarantee
from services.scheduling.models.tables import GuaranteeTable
from services.scheduling.queries import scope
from shared.auth.principal import Principal
from shared.db import Transaction, core

_LOCKED = "SELECT * FROM guarantee WHERE referral_id = $1 FOR UPDATE"


async def locked_of(tx: Transaction, referral_id: UUID) -> Guarantee:
    """Lock the guarantee of a referral; raises LookupError where it has none."""
    guarantee = await tx.row(Guarantee, _LOCKED, referral_id)
    if guarantee is None:
        raise LookupError(f"referral {referral_id} has no guarantee")
    return guarantee


async def visible_to(tx: Transaction, principal: Principal, guarantee_id: UUID) -> Guarantee | None:
    """Read a guarantee that this caller may see, without a lock."""
    guarantee = core.columns(GuaranteeTable)
    wanted = select(*guarantee).where(guarantee.id == guarantee_id, scope.guarantees(principal))
    found = await tx.select(wanted)
    return Guarantee(**found[0]) if found else None
