"""Bring the series of a referral into line with its grant and its first appointment.

Called whenever either changed. What it does, and nothing else:
- no entitlement: sessions still to come are cancelled (`series.suspended`); nothing is held meanwhile;
- entitled, and the first appointment has a time: all sessions are booked, or none (`series.not-booked`);
- the first appointment moved past a session: what is still to come is cancelled and booked anew;
- a narrower grant: the sessions beyond its units or dates are cancelled one by one. A wider grant adds none
  to a series that stands: the newest grant bounds it, and a series is booked once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.scheduling import fhir, queries, rules
from services.scheduling.models import Appointment, Funding, Referral, Series
from services.scheduling.states import STANDING, AppointmentStatus, ReferralState, SeriesStatus
from services.scheduling.use_cases.book_series import book_series, say_not_booked
from services.scheduling.use_cases.recording import free, keep, tell
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import scheduling as events
from shared.events.outbox import publishing
from shared.fhir import store

CLINIC_CANCELS = "prov"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The series as it stands: its row, all its sessions, and those still to come."""

    series: Series | None
    sessions: Sequence[Appointment]
    to_come: list[Appointment]


async def settle_series(ctx: Context, tx: Transaction, referral: Referral) -> None:
    """Book, keep, cut or cancel the series of a referral, as its grant and first appointment now say."""
    programme = ctx.clinic.programme(referral.programme)
    if programme.sessions is None or referral.state == ReferralState.ENDED:
        return
    firsts = await queries.first_appointments(tx, referral.id)
    entitled = await entitlement_of(ctx, tx, referral, firsts=firsts)
    stands = await _standing(tx, referral, now=ctx.at)
    first = first_with_time(firsts)
    if isinstance(entitled, rules.NoEntitlement):
        await _withdraw(ctx, tx, stands, because=entitled.why)
    elif first is None:
        why = "the first appointment has no time yet"
        await _withdraw(ctx, tx, stands, because=why)
        await say_not_booked(ctx, tx, referral, series=stands.series, note=why)
    else:
        await _follow(ctx, tx, referral, entitled=entitled, first=first, stands=stands)


async def withdraw_sessions(
    ctx: Context, tx: Transaction, referral: Referral, *, because: str, also_past: bool
) -> None:
    """Cancel every session still to come, or every booked one, and tell why; nothing where there is none."""
    stands = await _standing(tx, referral, now=None if also_past else ctx.at)
    await _withdraw(ctx, tx, stands, because=because)


async def entitlement_of(
    ctx: Context, tx: Transaction, referral: Referral, *, firsts: Sequence[Appointment]
) -> rules.Entitlement | rules.NoEntitlement:
    """Work out what a referral is entitled to now; `firsts` are its first appointments."""
    payer = ctx.clinic.payer(referral.payer) if referral.payer else None
    asks = payer is not None and payer.authorization_required
    funding = await queries.funding_of(tx, referral.id) if asks else None
    return rules.entitlement(
        ctx.clinic.programme(referral.programme),
        authorization_required=asks,
        grant=None if funding is None else _grant(funding),
        first_held=any(row.status == AppointmentStatus.FULFILLED for row in firsts),
    )


def _grant(funding: Funding) -> rules.Grant:
    return rules.Grant(
        status=funding.status, units=funding.units, starts_on=funding.starts_on, ends_on=funding.ends_on
    )


def first_with_time(firsts: Sequence[Appointment]) -> Appointment | None:
    """Give the first appointment that stands or was held."""
    holding = (*STANDING, AppointmentStatus.FULFILLED)
    return next((row for row in firsts if row.status in holding), None)


async def close_if_over(ctx: Context, tx: Transaction, referral: Referral) -> None:
    """Complete a booked series of which nothing stands any more."""
    stands = await _standing(tx, referral, now=ctx.at)
    series = stands.series
    if series is None or series.status != SeriesStatus.BOOKED:
        return
    if any(row.status in STANDING for row in stands.sessions):
        return
    held = [row for row in stands.sessions if row.status == AppointmentStatus.FULFILLED]
    series.status = SeriesStatus.COMPLETED if held else SeriesStatus.SUSPENDED
    series.note = f"{len(held)} sessions took place"
    body = fhir.render_series(ctx, series, sessions=stands.sessions)
    await store.put(tx, series, body, at=ctx.at)
    event = events.SeriesCompleted if held else events.SeriesSuspended
    publishing.collect(tx, event, of=series, key=series.patient_id, focus=series.body, ctx=ctx)


async def _follow(
    ctx: Context,
    tx: Transaction,
    referral: Referral,
    *,
    entitled: rules.Entitlement,
    first: Appointment,
    stands: Standing,
) -> None:
    ends_at = first.ends_at or ctx.at
    series, to_come = stands.series, stands.to_come
    if any(row.starts_at is not None and row.starts_at < ends_at for row in to_come):
        await _withdraw(ctx, tx, stands, because="the first appointment moved")
    elif series is not None and series.status in (SeriesStatus.BOOKED, SeriesStatus.COMPLETED):
        await _cut(ctx, tx, referral, entitled=entitled, stands=stands)
        return
    kept = [row for row in stands.sessions if row.status in (*STANDING, AppointmentStatus.FULFILLED)]
    await book_series(ctx, tx, referral, series=series, entitled=entitled, kept=kept, after=ends_at)


async def _cut(
    ctx: Context, tx: Transaction, referral: Referral, *, entitled: rules.Entitlement, stands: Standing
) -> None:
    zone = ctx.clinic.site(referral.site).zone
    used = [row for row in stands.sessions if row.status in (*STANDING, AppointmentStatus.FULFILLED)]
    inside = [
        row
        for row in used
        if row not in stands.to_come
        or (row.starts_at and rules.inside_dates(row.starts_at.astimezone(zone).date(), entitled=entitled))
    ]
    keep_rows = inside[: entitled.count]
    surplus = [row for row in stands.to_come if row not in keep_rows]
    for row in surplus:
        await _cancel(ctx, tx, row, because="beyond what the payer grants")
        tell(ctx, tx, events.AppointmentCancelled, row)
    await free(ctx, tx, surplus)
    if surplus:
        await close_if_over(ctx, tx, referral)


async def _withdraw(ctx: Context, tx: Transaction, stands: Standing, *, because: str) -> None:
    series = stands.series
    if series is None or not stands.to_come:
        return
    for row in stands.to_come:
        await _cancel(ctx, tx, row, because=because)
    await free(ctx, tx, stands.to_come)
    series.status, series.note = SeriesStatus.SUSPENDED, because
    body = fhir.render_series(ctx, series, sessions=stands.sessions)
    await store.put(tx, series, body, at=ctx.at)
    publishing.collect(
        tx,
        events.SeriesSuspended,
        of=series,
        key=series.patient_id,
        focus=series.body,
        carries=[row.body for row in stands.to_come],
        ctx=ctx,
    )


async def _cancel(ctx: Context, tx: Transaction, row: Appointment, *, because: str) -> None:
    row.status, row.reason_code, row.reason_text = AppointmentStatus.CANCELLED, CLINIC_CANCELS, because
    await keep(ctx, tx, row)


async def _standing(tx: Transaction, referral: Referral, *, now: datetime | None) -> Standing:
    series = await queries.series_of(tx, referral.id)
    sessions = [] if series is None else await queries.sessions_of(tx, series.id)
    to_come = [row for row in sessions if row.status == AppointmentStatus.BOOKED and _is_ahead(row, now)]
    return Standing(series=series, sessions=sessions, to_come=to_come)


def _is_ahead(row: Appointment, now: datetime | None) -> bool:
    return row.starts_at is not None and (now is None or row.starts_at > now)
