"""Freed time goes to those who wait, in order of days left to their promise."""

from datetime import timedelta
from uuid import UUID

from services.scheduling import queries
from services.scheduling.states import AppointmentStatus
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from services.scheduling.use_cases.place_first import place_first
from services.scheduling.use_cases.promise import promise_broke
from services.scheduling.use_cases.timer_kinds import TimerKind
from shared import timers
from shared.context import Context
from shared.db import Transaction

_MOMENT = timedelta(microseconds=1)


async def offer_time(ctx: Context, tx: Transaction, site: str) -> None:
    """Let everybody who waits at a site try again, each in a transaction of its own.

    One transaction for all would wait for calls that wait for it. The timers lie moments before now, the
    most urgent first, because timers fire in the order of their time.
    """
    waiting = await queries.waiting_at(tx, site)
    for place, appointment_id in enumerate(waiting):
        due = ctx.at - _MOMENT * (len(waiting) - place)
        await timers.schedule(tx, kind=TimerKind.TRY, ref=str(appointment_id), due=due)


async def try_waiting(
    ctx: Context, tx: Transaction, appointment_id: UUID, *, cache: AvailabilityCache
) -> None:
    """Book who waits at the earliest fitting time, if there is one now."""
    seen = await queries.appointment_by_id(tx, appointment_id)
    if seen is None:
        return
    referral = await queries.locked_referral(tx, seen.referral_id)
    row = await queries.locked_appointment(tx, appointment_id)
    if referral is None or row is None or row.status != AppointmentStatus.WAITLIST:
        return
    await place_first(ctx, tx, referral, waiting=row, cache=cache)


async def promise_is_due(
    ctx: Context, tx: Transaction, referral_id: UUID, *, cache: AvailabilityCache
) -> None:
    """Look at a promise at its end; where it broke and the patient waits, take the earliest time at all."""
    referral = await queries.locked_referral(tx, referral_id)
    if referral is None or not await promise_broke(ctx, tx, referral):
        return
    for row in await queries.first_appointments(tx, referral_id):
        if row.status == AppointmentStatus.WAITLIST:
            await place_first(ctx, tx, referral, waiting=row, cache=cache)


async def open_desk(ctx: Context, tx: Transaction) -> None:
    """Offer time at every site when the worker starts: clinic.yaml may have new hours."""
    for site in ctx.clinic.sites:
        await timers.schedule(tx, kind=TimerKind.OFFER, ref=site.id, due=ctx.at)
