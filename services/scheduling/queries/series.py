"""Series of sessions, and what the payer's newest answer grants for them."""

from uuid import UUID

from services.scheduling.models.rows import Funding, Series
from shared.db import Transaction

_LOCKED = "SELECT * FROM series WHERE referral_id = $1 FOR UPDATE"
_FUNDING = "SELECT * FROM funding WHERE referral_id = $1"


async def locked_of(tx: Transaction, referral_id: UUID) -> Series | None:
    """Lock the series of a referral."""
    return await tx.row(Series, _LOCKED, referral_id)


async def funding_of(tx: Transaction, referral_id: UUID) -> Funding | None:
    """Read the payer's newest answer for a referral."""
    return await tx.row(Funding, _FUNDING, referral_id)
