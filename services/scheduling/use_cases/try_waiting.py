"""Book a patient who waits, where there is a time now."""

from uuid import UUID

from services.scheduling import queries
from services.scheduling.states import AppointmentStatus
from services.scheduling.use_cases import book_first
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from shared.context import Context
from shared.db import Transaction


async def run(ctx: Context, tx: Transaction, appointment_id: UUID, *, cache: AvailabilityCache) -> None:
    """Book who waits at the earliest fitting time, if there is one now."""
    referral = await queries.referrals.locked_of(tx, appointment_id)
    row = await queries.appointments.locked(tx, appointment_id)
    if referral is not None and row is not None and row.status == AppointmentStatus.WAITLIST:
        await book_first.from_waitlist(ctx, tx, referral, row, cache=cache)
