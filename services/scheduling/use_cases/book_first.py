"""Book the first appointment at the earliest fitting time, or put the patient on the waitlist."""

from collections.abc import Sequence

from services.scheduling import rules
from services.scheduling.models.rows import Appointment, Referral
from services.scheduling.models.spans import Span
from services.scheduling.models.timer_kinds import TimerKind
from services.scheduling.rules.first_answer import FirstAnswer
from services.scheduling.states import AppointmentStatus
from services.scheduling.use_cases import (
    answer_first,
    availability_search,
    reconcile_series,
    record,
    tell_patient,
)
from services.scheduling.use_cases.availability_cache import AvailabilityCache, kept_need
from services.scheduling.use_cases.availability_search import BookingRequest
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import scheduling as events
from shared.events.outbox.publishing import publish_all
from shared.fhir.codes import AppointmentKind

# Any time inside the promise.
ANY_TIME = FirstAnswer()


async def run(ctx: Context, tx: Transaction, referral: Referral, *, cache: AvailabilityCache) -> None:
    """Book a time by the clinic's policy, or promise one; where there is none, the patient waits.

    Who waits tries once more after this transaction: a time that was freed meanwhile would be seen by nobody.
    """
    row = unbooked(ctx, referral)
    [answer] = await answer_first.run(ctx, tx, [(row, referral)], cache=cache)
    if answer.is_promise:
        await promise(ctx, tx, referral, row)
        return
    if await _find_time(ctx, tx, referral, row, cache=cache, answer=answer):
        await booked(ctx, tx, referral, row)
        await tell_patient.ask(ctx, tx, row)
        return
    await join_waitlist(ctx, tx, referral, row)


async def promise(ctx: Context, tx: Transaction, referral: Referral, row: Appointment) -> None:
    """Record a first visit whose day follows, and publish the promise."""
    row.status = AppointmentStatus.PROPOSED
    evaluated = await record.save_first(ctx, tx, row, referral=referral)
    await publish_all(tx, [record.guarantee_publication(ctx, events.GuaranteePromised, evaluated.guarantee)])
    await reconcile_series.run(ctx, tx, referral, firsts=evaluated.firsts)


async def join_waitlist(ctx: Context, tx: Transaction, referral: Referral, row: Appointment) -> None:
    """Let a patient wait for whom no time is free, and try once more after this transaction."""
    row.status = AppointmentStatus.WAITLIST
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
        await tell_patient.ask(ctx, tx, row)


async def booked(ctx: Context, tx: Transaction, referral: Referral, row: Appointment) -> None:
    """Record a first appointment whose time was taken, publish it, and reconcile what follows it."""
    waited = row.version > 0 and row.status == AppointmentStatus.WAITLIST
    row.status = AppointmentStatus.BOOKED
    left = (events.WaitlistLeft,) if waited else ()
    happened = (*left, events.AppointmentBooked)
    evaluated = await record.save_first(ctx, tx, row, *happened, referral=referral)
    if waited:
        await timers.cancel(tx, kind=TimerKind.TRY, ref=str(row.id))
    await reconcile_series.run(ctx, tx, referral, firsts=evaluated.firsts)


def request_for(
    ctx: Context,
    referral: Referral,
    row: Appointment,
    *,
    cache: AvailabilityCache,
    answer: FirstAnswer = ANY_TIME,
) -> BookingRequest:
    """Return what a first appointment asks for: inside the guarantee, and when the patient can come.

    An answer says from which day on, and whether the end of the second promise bounds it instead.
    """
    first = ctx.clinic.programme(referral.programme).first
    kept = kept_need(ctx, first, site_id=referral.site, purpose="first", cache=cache)
    zone = kept.need.site.zone
    window = rules.notice.first_window(
        now=ctx.at, due_at=referral.due_at, zone=zone, priority=referral.priority
    )
    if answer.beyond_due:
        days = ctx.clinic.guarantee.second_days
        second = rules.guarantee.second_end(referral.sent_at, days=days, zone=zone)
        window = Span(window.start, max(window.end, second))
    if answer.from_day is not None:
        begins = max(window.start, rules.calendar.local_day_start(answer.from_day, zone))
        window = Span(begins, max(begins, window.end))
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


async def find_times(
    ctx: Context,
    tx: Transaction,
    asked: Sequence[tuple[Appointment, Referral, FirstAnswer]],
    *,
    cache: AvailabilityCache,
) -> None:
    """Take the earliest time for each visit, as its answer says, and put it into its row.

    Who finds none from that day on is given any time in the promise: nobody waits while a time is free. A row
    that gets no time keeps its status, one that gets a time is booked.
    """
    left = list(asked)
    while left:
        requests = [
            request_for(ctx, referral, row, cache=cache, answer=answer) for row, referral, answer in left
        ]
        await availability_search.take_earliest(tx, requests, cache=cache, at=ctx.at)
        for request in requests:
            if request.candidate is not None:
                request.row.status = AppointmentStatus.BOOKED
        left = [
            (row, referral, ANY_TIME)
            for row, referral, answer in left
            if answer.from_day is not None and row.status != AppointmentStatus.BOOKED
        ]


async def _find_time(
    ctx: Context,
    tx: Transaction,
    referral: Referral,
    row: Appointment,
    *,
    cache: AvailabilityCache,
    answer: FirstAnswer = ANY_TIME,
) -> bool:
    before = row.status
    await find_times(ctx, tx, [(row, referral, answer)], cache=cache)
    found = row.status == AppointmentStatus.BOOKED
    row.status = before
    return found
