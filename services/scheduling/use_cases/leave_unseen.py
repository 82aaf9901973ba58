"""Record that a patient who had come left without being seen: nobody missed it, and no unit was used."""

from collections.abc import Callable

from services.scheduling import rules, texts
from services.scheduling.models.rows import Appointment
from services.scheduling.rules.status_change import NotInThisState
from services.scheduling.use_cases import change
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from services.scheduling.use_cases.change import HeldByAnother, VisitOfAnother
from shared.context import Context
from shared.db import Transaction
from shared.db.models import Resource
from shared.reasons import Reason

REFUSES = (VisitOfAnother, HeldByAnother, NotInThisState)


async def run(
    ctx: Context,
    tx: Transaction,
    appointment_id: str,
    *,
    cache: AvailabilityCache,
    expect: Callable[[Resource], None],
) -> Appointment:
    """Call the visit off on the clinic's side with a reason of its own, and return it.

    A first one is booked again at once, and its days go on counting on both clocks. Raises NotFound,
    VisitOfAnother, HeldByAnother, what `expect` raises, and NotInThisState where the patient had not come.
    """
    referral, row = await change.for_caller(ctx, tx, appointment_id)
    expect(row)
    if (why := rules.status_change.why_nobody_left(row)) is not None:
        raise NotInThisState.because(why, texts.REASONS, words=texts.words_of(ctx.clinic))
    because = Reason.of("left-unseen")
    await change.call_off(ctx, tx, row, because=because, referral=referral, cache=cache)
    return row
