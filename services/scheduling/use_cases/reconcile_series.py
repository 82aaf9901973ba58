"""Bring the series of a referral into line with its grant and its first appointment.

Called whenever either changed. What it does, and nothing else:
- no entitlement: sessions still to come are cancelled (`series.suspended`); nothing is held meanwhile;
- entitled, and the first appointment has a time: all sessions are booked, or none (`series.not-booked`);
- the first appointment moved past a session: what is still to come is cancelled and booked anew;
- a narrower grant: the sessions beyond its units or dates are cancelled one by one. A wider grant adds none
  to a series that stands: the newest grant bounds it, and a series is booked once.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.scheduling import queries, rules
from services.scheduling.models.rows import Appointment, Referral, Series
from services.scheduling.rules.entitlement import Entitlement, NoEntitlement
from services.scheduling.states import AppointmentStatus, ReferralState, SeriesStatus
from services.scheduling.use_cases import book_series, complete_series, record
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import DomainEvent
from shared.events.catalog import scheduling as events
from shared.reasons import Reason

_CORRECTED: dict[SeriesStatus, type[DomainEvent]] = {
    SeriesStatus.BOOKED: events.SeriesBooked,
    SeriesStatus.COMPLETED: events.SeriesCompleted,
    SeriesStatus.SUSPENDED: events.SeriesSuspended,
}


@dataclass(frozen=True, kw_only=True)
class LockedSeries:
    """A series as it is now: its row, all its sessions, and those still to come."""

    series: Series | None
    sessions: Sequence[Appointment]
    to_come: list[Appointment]


async def run(ctx: Context, tx: Transaction, referral: Referral, *, firsts: Sequence[Appointment]) -> None:
    """Book, keep, cut or cancel the series of a referral, as its grant and first appointment now say.

    `firsts` are all its first appointments, locked.
    """
    programme = ctx.clinic.programme(referral.programme)
    if programme.course is None or referral.state == ReferralState.ENDED:
        return
    entitled = await entitlement_of(ctx, tx, referral, firsts=firsts)
    locked = await _lock(tx, referral, after=ctx.at)
    first = next(iter(rules.series_state.counting(firsts)), None)
    if isinstance(entitled, NoEntitlement):
        await _withdraw(ctx, tx, locked, because=entitled.why)
    elif first is None:
        why = Reason.of("first-has-no-time")
        await _withdraw(ctx, tx, locked, because=why)
        await book_series.publish_series_not_booked(ctx, tx, referral, series=locked.series, because=[why])
    else:
        await _follow(ctx, tx, referral, entitled=entitled, first=first, locked=locked)


async def withdraw(
    ctx: Context, tx: Transaction, referral: Referral, *, because: Reason, also_past: bool
) -> None:
    """Cancel every session still to come, or every booked one, and publish why."""
    locked = await _lock(tx, referral, after=None if also_past else ctx.at)
    await _withdraw(ctx, tx, locked, because=because)


async def close_if_over(ctx: Context, tx: Transaction, referral: Referral) -> None:
    """Complete a booked series of which nothing stands any more."""
    await _close_if_over(ctx, tx, await _lock(tx, referral, after=ctx.at))


async def make_up(ctx: Context, tx: Transaction, referral: Referral) -> None:
    """Book a session in the place of one that was missed, or lost by the clinic, where units allow."""
    firsts = await queries.appointments.firsts_of(tx, referral.id)
    entitled = await entitlement_of(ctx, tx, referral, firsts=firsts)
    series = await queries.series.locked_of(tx, referral.id)
    if referral.state == ReferralState.OPEN and series is not None and isinstance(entitled, Entitlement):
        await complete_series.run(ctx, tx, referral, series, entitled=entitled, after=ctx.at)


async def give_up(ctx: Context, tx: Transaction, referral: Referral, dropped: Sequence[Appointment]) -> None:
    """Note that people called these sessions off: nothing is ever booked in their place by itself."""
    series = await queries.series.locked_of(tx, referral.id)
    if series is None:
        return
    sessions = await queries.appointments.sessions_of(tx, series.id)
    only = rules.needs.only_discipline(ctx.clinic.programme(referral.programme).course)
    wanted = rules.series_state.given_up(series.wanted, sessions, dropped, only=only)
    await tx.update(series, wanted=wanted)


async def recount(
    ctx: Context, tx: Transaction, referral: Referral, row: Appointment, *, was: AppointmentStatus
) -> None:
    """Bring a series into line with a session of it that was recorded by mistake: it goes on, or is over.

    What was booked in the place of a session that was not missed after all is called off, and one that was
    missed after all is made up for.
    """
    await _rebalance(ctx, tx, referral, row, was=was)
    locked = await _lock(tx, referral, after=ctx.at)
    series, sessions = locked.series, locked.sessions
    counted = rules.series_state.corrected(series, sessions)
    if series is not None and counted is not None:
        event = _CORRECTED[counted.status]
        carries = sessions if event is events.SeriesBooked else ()
        await record.save_series(
            ctx, tx, series, event, because=counted.because, sessions=sessions, carries=carries
        )


async def entitlement_of(
    ctx: Context, tx: Transaction, referral: Referral, *, firsts: Sequence[Appointment]
) -> Entitlement | NoEntitlement:
    """Work out what a referral is entitled to now; `firsts` are its first appointments."""
    payer = ctx.clinic.payer(referral.payer) if referral.payer else None
    asks = payer is not None and payer.authorization_required
    return rules.entitlement.entitled_to(
        ctx.clinic.programme(referral.programme),
        authorization_required=asks,
        funding=await queries.series.funding_of(tx, referral.id) if asks else None,
        first_held=any(row.status == AppointmentStatus.FULFILLED for row in firsts),
    )


async def _rebalance(
    ctx: Context, tx: Transaction, referral: Referral, row: Appointment, *, was: AppointmentStatus
) -> None:
    locked = await _lock(tx, referral, after=ctx.at)
    series, only = locked.series, rules.needs.only_discipline(ctx.clinic.programme(referral.programme).course)
    if series is None:
        return
    if was == AppointmentStatus.CANCELLED:
        await tx.update(
            series, wanted=rules.series_state.wanted_at_least(series.wanted, locked.sessions, only=only)
        )
    elif was == AppointmentStatus.MISSED and series.wanted is not None:
        surplus = [
            one
            for one in rules.series_state.surplus_of(series.wanted, locked.sessions, only=only, now=ctx.at)
            if one.id != row.id
        ]
        await record.cancel_sessions(ctx, tx, surplus, because=Reason.of("booked-for-a-mistake"))
        await record.publish_appointment_event(ctx, tx, events.AppointmentCancelled, *surplus)
    elif row.status == AppointmentStatus.MISSED:
        await make_up(ctx, tx, referral)


async def _follow(
    ctx: Context,
    tx: Transaction,
    referral: Referral,
    *,
    entitled: Entitlement,
    first: Appointment,
    locked: LockedSeries,
) -> None:
    ends_at = first.ends_at or ctx.at
    series = locked.series
    if any(row.starts_at is not None and row.starts_at < ends_at for row in locked.to_come):
        await _withdraw(ctx, tx, locked, because=Reason.of("first-moved"))
    elif series is not None and series.status in (SeriesStatus.BOOKED, SeriesStatus.COMPLETED):
        await _cut(ctx, tx, referral, entitled=entitled, locked=locked)
        await complete_series.run(ctx, tx, referral, series, entitled=entitled, after=max(ends_at, ctx.at))
        return
    kept = rules.series_state.counting(locked.sessions)
    entitled = _less_late(ctx, referral, entitled, locked=locked)
    await book_series.run(ctx, tx, referral, series=series, entitled=entitled, kept=kept, after=ends_at)


def _less_late(
    ctx: Context, referral: Referral, entitled: Entitlement, *, locked: LockedSeries
) -> Entitlement:
    """Take the units off that were used by sessions which were called off late."""
    only = rules.needs.only_discipline(ctx.clinic.programme(referral.programme).course)
    late = rules.late_cancellation.using_a_unit(locked.sessions)
    return entitled.less(Counter(row.discipline or only or "" for row in late))


async def _cut(
    ctx: Context, tx: Transaction, referral: Referral, *, entitled: Entitlement, locked: LockedSeries
) -> None:
    zone = ctx.clinic.site(referral.site).zone
    only = rules.needs.only_discipline(ctx.clinic.programme(referral.programme).course)
    surplus = rules.series_state.beyond(locked.sessions, entitled=entitled, only=only, now=ctx.at, zone=zone)
    if surplus:
        await record.cancel_sessions(ctx, tx, surplus, because=Reason.of("beyond-the-grant"))
        await record.publish_appointment_event(ctx, tx, events.AppointmentCancelled, *surplus)
        await _close_if_over(ctx, tx, locked)


async def _withdraw(ctx: Context, tx: Transaction, locked: LockedSeries, *, because: Reason) -> None:
    series, to_come = locked.series, locked.to_come
    if series is None or not to_come:
        return
    await record.cancel_sessions(ctx, tx, to_come, because=because)
    event, sessions = events.SeriesSuspended, locked.sessions
    await record.save_series(ctx, tx, series, event, because=[because], sessions=sessions, carries=to_come)


async def _close_if_over(ctx: Context, tx: Transaction, locked: LockedSeries) -> None:
    series, sessions = locked.series, locked.sessions
    held = rules.series_state.held_when_over(series, sessions)
    if series is not None and held is not None:
        event = events.SeriesCompleted if held else events.SeriesSuspended
        because = [Reason.of("sessions-held", count=held)]
        if not held:
            # Begun anew, it is begun with everything.
            series.wanted = None
        await record.save_series(ctx, tx, series, event, because=because, sessions=sessions)


async def _lock(tx: Transaction, referral: Referral, *, after: datetime | None) -> LockedSeries:
    series = await queries.series.locked_of(tx, referral.id)
    sessions = [] if series is None else await queries.appointments.sessions_of(tx, series.id)
    to_come = rules.series_state.to_come(sessions, after=after)
    return LockedSeries(series=series, sessions=sessions, to_come=to_come)
