"""Book a patient who waits, where there is a time now."""

from uuid import UUID

from services.scheduling import queries
from services.scheduling.states import UNTIMED, AppointmentStatus
from services.scheduling.use_cases import answer_first, book_first
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from shared.context import Context
from shared.db import Transaction


async def run(ctx: Context, tx: Transaction, appointment_id: UUID, *, cache: AvailabilityCache) -> None:
    """Book who waits at the earliest fitting time, if there is one now; a promised visit if it presses."""
    referral = await queries.referrals.locked_of(tx, appointment_id)
    row = await queries.appointments.locked(tx, appointment_id)
    if referral is None or row is None or row.status not in UNTIMED:
        return
    if row.status == AppointmentStatus.PROPOSED:
        [answer] = await answer_first.run(ctx, tx, [(row, referral)], cache=cache)
        if answer.is_promise:
            return
    await book_first.from_waitlist(ctx, tx, referral, row, cache=cache)
