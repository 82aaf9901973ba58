"""Referrals that were accepted."""

from collections.abc import Collection
from uuid import UUID

from services.scheduling.models.rows import Referral
from shared.db import Transaction

_BY_ID = "SELECT * FROM referral WHERE id = $1"
_LOCKED = "SELECT * FROM referral WHERE id = $1 FOR UPDATE"
_LOCKED_OF = """
SELECT referral.* FROM referral JOIN appointment ON appointment.referral_id = referral.id
WHERE appointment.id = $1 FOR UPDATE OF referral
"""
_KNOWN = "SELECT id FROM referral WHERE id = ANY($1::uuid[])"


async def by_id(tx: Transaction, referral_id: UUID) -> Referral | None:
    """Read a referral, without a lock."""
    return await tx.row(Referral, _BY_ID, referral_id)


async def locked(tx: Transaction, referral_id: UUID) -> Referral | None:
    """Lock a referral."""
    return await tx.row(Referral, _LOCKED, referral_id)


async def locked_of(tx: Transaction, appointment_id: UUID) -> Referral | None:
    """Lock the referral of an appointment."""
    return await tx.row(Referral, _LOCKED_OF, appointment_id)


async def known(tx: Transaction, referral_ids: Collection[UUID]) -> set[UUID]:
    """Return those of these referrals that were accepted before."""
    return {record["id"] for record in await tx.records(_KNOWN, list(referral_ids))}
