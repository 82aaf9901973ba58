"""What the payers' newest answers grant."""

from uuid import UUID

from services.scheduling.models import Funding
from shared.db import Transaction

_OF = "SELECT * FROM funding WHERE referral_id = $1"


async def of(tx: Transaction, referral_id: UUID) -> Funding | None:
    """Read the payer's newest answer for a referral."""
    return await tx.row(Funding, _OF, referral_id)
