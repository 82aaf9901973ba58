"""Freed time goes to those who wait, in order of days left to their promise."""

from datetime import timedelta
from uuid import UUID

from services.scheduling import queries
from services.scheduling.settings import Desk
from services.scheduling.states import AppointmentStatus
from services.scheduling.use_cases.place_first import place_first
from services.scheduling.use_cases.promise import promise_broke
from services.scheduling.use_cases.timer_kinds import TimerKind
from shared import timers
from shared.act import Act
from shared.db import Transaction

_MOMENT = timedelta(microseconds=1)


async def offer_time(tx: Transaction, site: str, *, act: Act) -> None:
    """Let everybody who waits at a site try again, each in a transaction of its own.

    One transaction for all would wait for calls that wait for it. The timers lie moments before now, the
    most urgent first, because timers fire in the order of their time.
    """
    waiting = await queries.waiting_at(tx, site)
    for place, appointment_id in enumerate(waiting):
        due = act.at - _MOMENT * (len(waiting) - place)
        await timers.schedule(tx, kind=TimerKind.TRY, ref=str(appointment_id), due=due)


async def try_waiting(tx: Transaction, appointment_id: UUID, *, desk: Desk, act: Act) -> None:
    """Book who waits at the earliest fitting time, if there is one now."""
    seen = await queries.appointment_by_id(tx, appointment_id)
    if seen is None:
        return
    referral = await queries.locked_referral(tx, seen.referral_id)
    row = await queries.locked_appointment(tx, appointment_id)
    if referral is None or row is None or row.status != AppointmentStatus.WAITLIST:
        return
    await place_first(tx, referral, waiting=row, desk=desk, act=act)


async def promise_is_due(tx: Transaction, referral_id: UUID, *, desk: Desk, act: Act) -> None:
    """Look at a promise at its end; where it broke and the patient waits, take the earliest time at all."""
    referral = await queries.locked_referral(tx, referral_id)
    if referral is None or not await promise_broke(tx, referral, desk=desk, act=act):
        return
    for row in await queries.first_appointments(tx, referral_id):
        if row.status == AppointmentStatus.WAITLIST:
            await place_first(tx, referral, waiting=row, desk=desk, act=act)


async def open_desk(tx: Transaction, *, desk: Desk, act: Act) -> None:
    """Offer time at every site when the worker starts: clinic.yaml may have new hours."""
    for site in desk.clinic.sites:
        await timers.schedule(tx, kind=TimerKind.OFFER, ref=site.id, due=act.at)
