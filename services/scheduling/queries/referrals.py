"""Referrals that were accepted."""

from collections.abc import Collection
from uuid import UUID

from services.scheduling.models import Referral
from shared.db import Transaction

_LOCKED = "SELECT * FROM referral WHERE id = $1 FOR UPDATE"
_KNOWN = "SELECT id FROM referral WHERE id = ANY($1::uuid[])"


async def locked(tx: Transaction, referral_id: UUID) -> Referral | None:
    """Lock a referral."""
    return await tx.row(Referral, _LOCKED, referral_id)


async def known(tx: Transaction, referral_ids: Collection[UUID]) -> set[UUID]:
    """Return those of these referrals that were accepted before."""
    return {record["id"] for record in await tx.records(_KNOWN, list(referral_ids))}
