"""Book the first appointment at the earliest fitting time, or put the patient on the waitlist."""

from services.scheduling import rules
from services.scheduling.models.rows import Appointment, Referral
from services.scheduling.models.timer_kinds import TimerKind
from services.scheduling.states import AppointmentStatus
from services.scheduling.use_cases import availability_search, reconcile_series, record
from services.scheduling.use_cases.availability_cache import AvailabilityCache, kept_need
from services.scheduling.use_cases.availability_search import BookingRequest
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import scheduling as events
from shared.fhir.codes import AppointmentKind


async def run(ctx: Context, tx: Transaction, referral: Referral, *, cache: AvailabilityCache) -> None:
    """Book the earliest time that fits, whoever races; where there is none, the patient waits.

    Who waits tries once more after this transaction: a time that was freed meanwhile would be seen by nobody.
    """
    row = unbooked(ctx, referral)
    if await _find_time(ctx, tx, referral, row, cache=cache):
        await booked(ctx, tx, referral, row)
        return
    evaluated = await record.save_first(ctx, tx, row, events.WaitlistJoined, referral=referral)
    await timers.schedule(tx, kind=TimerKind.TRY, ref=str(row.id), due=ctx.at)
    await reconcile_series.run(ctx, tx, referral, firsts=evaluated.firsts)


async def from_waitlist(
    ctx: Context, tx: Transaction, referral: Referral, row: Appointment, *, cache: AvailabilityCache
) -> None:
    """Book a place on the waitlist at the earliest time that fits; without a time it stays what it is.

    That the guarantee is at risk was published when the patient joined. Its sessions were cancelled then: no
    time is given back after one was claimed, which would take the locks of a cancellation in another order.
    """
    if await _find_time(ctx, tx, referral, row, cache=cache):
        await booked(ctx, tx, referral, row)


async def booked(ctx: Context, tx: Transaction, referral: Referral, row: Appointment) -> None:
    """Record a first appointment whose time was taken, publish it, and reconcile what follows it."""
    waited = row.version > 0
    row.status = AppointmentStatus.BOOKED
    left = (events.WaitlistLeft,) if waited else ()
    happened = (*left, events.AppointmentBooked)
    evaluated = await record.save_first(ctx, tx, row, *happened, referral=referral)
    if waited:
        await timers.cancel(tx, kind=TimerKind.TRY, ref=str(row.id))
    await reconcile_series.run(ctx, tx, referral, firsts=evaluated.firsts)


def request_for(
    ctx: Context, referral: Referral, row: Appointment, *, cache: AvailabilityCache
) -> BookingRequest:
    """Return what a first appointment asks for: inside the guarantee, and when the patient can come."""
    first = ctx.clinic.programme(referral.programme).first
    kept = kept_need(ctx, first, site_id=referral.site, purpose="first", cache=cache)
    window = rules.notice.first_window(
        now=ctx.at, due_at=referral.due_at, zone=kept.need.site.zone, priority=referral.priority
    )
    return BookingRequest(row=row, kept=kept, window=window, never=referral.away)


def unbooked(ctx: Context, referral: Referral) -> Appointment:
    """Make a first appointment without a time."""
    return Appointment(
        referral_id=referral.id,
        kind=AppointmentKind.FIRST,
        status=AppointmentStatus.WAITLIST,
        patient_id=referral.patient_id,
        programme=referral.programme,
        site=referral.site,
        requester=referral.requester,
        minutes=ctx.clinic.programme(referral.programme).first.minutes,
        due_at=referral.due_at,
        waits_since=ctx.at,
    )


async def _find_time(
    ctx: Context, tx: Transaction, referral: Referral, row: Appointment, *, cache: AvailabilityCache
) -> bool:
    request = request_for(ctx, referral, row, cache=cache)
    await availability_search.take_earliest(tx, [request], cache=cache)
    return request.candidate is not None
