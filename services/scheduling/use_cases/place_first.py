"""Book the first appointment at the earliest fitting time, or put the patient on the waitlist."""

from services.scheduling import rules
from services.scheduling.models import Appointment, Referral
from services.scheduling.states import AppointmentStatus
from services.scheduling.use_cases.availability_cache import AvailabilityCache, kept_need
from services.scheduling.use_cases.earliest import Wanted, take_earliest
from services.scheduling.use_cases.promise import tell_promise, unavailable_spans, weigh_promise
from services.scheduling.use_cases.recording import keep, tell
from services.scheduling.use_cases.settle_series import settle_series
from services.scheduling.use_cases.timer_kinds import TimerKind
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import scheduling as events
from shared.fhir.codes import AppointmentKind


async def place_first(
    ctx: Context,
    tx: Transaction,
    referral: Referral,
    *,
    waiting: Appointment | None = None,
    cache: AvailabilityCache,
) -> None:
    """Book the earliest time that fits, whoever races; where there is none, the patient waits.

    `waiting` is the patient's place on the waitlist, which becomes the booking; without a time it stays what
    it is, and the promise was told to be at risk when the patient joined.
    """
    row = waiting or first_visit(ctx, referral)
    wanted = wanted_first(ctx, row, referral, cache=cache)
    await take_earliest(ctx, tx, [wanted], cache=cache)
    if wanted.candidate is not None:
        await record_first(ctx, tx, row, referral=referral, from_waitlist=waiting is not None)
    elif waiting is None:
        await _join_waitlist(ctx, tx, row, referral=referral)


async def record_first(
    ctx: Context, tx: Transaction, row: Appointment, *, referral: Referral, from_waitlist: bool
) -> None:
    """Record a first appointment whose time was taken, tell of it, and settle what follows it."""
    row.status = AppointmentStatus.BOOKED
    await keep(ctx, tx, row)
    promise = await weigh_promise(ctx, tx, referral)
    if from_waitlist:
        tell(ctx, tx, events.WaitlistLeft, row, promise=promise)
        await timers.cancel(tx, kind=TimerKind.TRY, ref=str(row.id))
    tell(ctx, tx, events.AppointmentBooked, row, promise=promise)
    tell_promise(ctx, tx, promise)
    await settle_series(ctx, tx, referral)


def wanted_first(ctx: Context, row: Appointment, referral: Referral, *, cache: AvailabilityCache) -> Wanted:
    """Say what a first appointment wants: inside the promise, and not when the patient cannot come."""
    first = ctx.clinic.programme(referral.programme).first
    kept = kept_need(ctx, first, site_id=referral.site, purpose="first", cache=cache)
    window = rules.first_window(now=ctx.at, due_at=referral.due_at, zone=kept.need.site.zone)
    return Wanted(row=row, kept=kept, window=window, never=unavailable_spans(referral))


async def _join_waitlist(ctx: Context, tx: Transaction, row: Appointment, *, referral: Referral) -> None:
    """Put the patient on the waitlist, and try once more after this transaction.

    A time that was freed while this one looked would otherwise be seen by nobody.
    """
    await keep(ctx, tx, row)
    promise = await weigh_promise(ctx, tx, referral)
    tell(ctx, tx, events.WaitlistJoined, row, promise=promise)
    tell_promise(ctx, tx, promise)
    await timers.schedule(tx, kind=TimerKind.TRY, ref=str(row.id), due=ctx.at)
    await settle_series(ctx, tx, referral)


def first_visit(ctx: Context, referral: Referral) -> Appointment:
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
    )
