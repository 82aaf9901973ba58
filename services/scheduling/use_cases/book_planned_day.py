"""Book the day that the plan of an evening found for a first visit."""

from datetime import date
from uuid import UUID

from services.scheduling import queries, rules
from services.scheduling.models.rows import Appointment, Guarantee, Referral
from services.scheduling.models.spans import Span
from services.scheduling.states import AppointmentStatus
from services.scheduling.use_cases import availability_search, book_first, tell_patient
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from services.scheduling.use_cases.plan_first_visits import ANY_DAY
from shared.context import Context
from shared.db import Transaction


async def run(ctx: Context, tx: Transaction, ref: str, *, cache: AvailabilityCache) -> None:
    """Book a time on the planned day; where it is gone, the next one up to the second promise.

    Where there is none at all the patient joins the waitlist. What is not promised any more changes nothing.
    """
    id, _, planned = ref.partition("/")
    referral = await queries.referrals.locked_of(tx, UUID(id))
    row = await queries.appointments.locked(tx, UUID(id))
    if referral is None or row is None or row.status != AppointmentStatus.PROPOSED:
        return
    guarantee = await queries.guarantees.locked_of(tx, referral.id)
    for window in _windows(ctx, referral, guarantee, planned=planned):
        if await _take(ctx, tx, referral, row, window=window, cache=cache):
            await book_first.booked(ctx, tx, referral, row)
            await tell_patient.ask(ctx, tx, row)
            return
    await book_first.join_waitlist(ctx, tx, referral, row)


async def _take(
    ctx: Context,
    tx: Transaction,
    referral: Referral,
    row: Appointment,
    *,
    window: Span,
    cache: AvailabilityCache,
) -> bool:
    request = book_first.request_for(ctx, referral, row, cache=cache)
    request.window = window
    await availability_search.take_earliest(tx, [request], cache=cache, at=ctx.at)
    return request.candidate is not None


def _windows(ctx: Context, referral: Referral, guarantee: Guarantee, *, planned: str) -> list[Span]:
    """List where a time is looked for: on the planned day, then from there on, then from tomorrow on."""
    zone = ctx.clinic.site(referral.site).zone
    earliest = rules.notice.earliest_start(now=ctx.at, zone=zone, priority=referral.priority)
    last = max(guarantee.second_due_at, referral.due_at, earliest)
    windows = [Span(earliest, last)]
    if planned != ANY_DAY:
        day = date.fromisoformat(planned)
        begins = max(earliest, rules.calendar.local_day_start(day, zone))
        ends = rules.calendar.local_day_end(day, zone)
        windows = [Span(begins, max(begins, ends)), Span(begins, max(begins, last)), *windows]
    return windows
