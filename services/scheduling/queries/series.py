"""Series of sessions."""

from uuid import UUID

from services.scheduling.models import Series
from shared.db import Transaction

_LOCKED = "SELECT * FROM series WHERE referral_id = $1 FOR UPDATE"


async def locked_of(tx: Transaction, referral_id: UUID) -> Series | None:
    """Lock the series of a referral."""
    return await tx.row(Series, _LOCKED, referral_id)
