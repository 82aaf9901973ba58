"""A person changes a series: calls sessions off or moves them by scope, holds, extends or settles it.

All of an act happens or none of it. A preview does the act and takes everything back, so it says what would
come of it, dates and refusals included, and writes nothing.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from services.scheduling import queries, rules
from services.scheduling.models.rows import Appointment
from services.scheduling.models.series_change import ChangedSeries, SeriesAct, SeriesChange
from services.scheduling.states import SeriesStatus
from services.scheduling.use_cases import (
    book_series,
    claim_sessions,
    complete_series,
    move_sessions,
    reconcile_series,
    record,
    series_in_hand,
)
from services.scheduling.use_cases.series_in_hand import SeriesInHand
from shared.context import Context
from shared.db import Transaction
from shared.db.models import Resource
from shared.errors import Invalid
from shared.events.catalog import scheduling as events
from shared.reasons import Reason, as_written

# A booster lies at most so long after the day from which on it may be.
_BOOSTER = timedelta(days=14)


async def run(
    ctx: Context,
    tx: Transaction,
    series_id: str,
    read: Callable[[], SeriesChange],
    *,
    expect: Callable[[Resource], None] = lambda _: None,
    is_preview: bool = False,
) -> ChangedSeries:
    """Do an act on a series, and return it with every session that the act changed.

    What is asked for is read once the series is known to be the caller's: nobody learns of another's.
    Raises NotFound, VisitOfAnother, Invalid, CannotChangeSeries, and what `read` and `expect` raise.
    """
    hand = await series_in_hand.take(ctx, tx, series_id)
    change = read()
    expect(hand.series)
    if (why := rules.series_scope.why_not(change.act, hand.series, referral=hand.referral)) is not None:
        raise series_in_hand.refusal(ctx, hand, why)
    if is_preview:
        await queries.savepoints.begin(tx)
    try:
        changed = await _ACTS[change.act](ctx, tx, hand, change)
    finally:
        if is_preview:
            await queries.savepoints.end(tx, keep=False)
    return changed


async def _cancel(ctx: Context, tx: Transaction, hand: SeriesInHand, change: SeriesChange) -> ChangedSeries:
    rows = rules.series_scope.meant(
        hand.sessions, series_in_hand.anchor(hand, change), scope=change.scope, now=ctx.at
    )
    series_in_hand.own(ctx, rows)
    if not rows:
        raise series_in_hand.refusal(ctx, hand, Reason.of("no-session-to-come"))
    referral = hand.referral
    payer = ctx.clinic.payer(referral.payer) if referral.payer else None
    for row in rows:
        late = rules.late_cancellation.reasons(row, code=change.code, payer=payer, now=ctx.at)
        await queries.given_up.keep(tx, rules.given_up.by_cancelling(row, code=change.code))
        because = [*late, as_written(str(change.words))]
        await record.cancel_for(ctx, tx, row, code=change.code, because=because)
    await record.give_back(ctx, tx, rows)
    await record.publish_appointment_event(ctx, tx, events.AppointmentCancelled, *rows)
    await reconcile_series.give_up(ctx, tx, referral, rows)
    await reconcile_series.close_if_over(ctx, tx, referral)
    return await series_in_hand.answer(ctx, tx, hand, {row.id: row.starts_at for row in rows})


async def _hold(ctx: Context, tx: Transaction, hand: SeriesInHand, change: SeriesChange) -> ChangedSeries:
    """Call off what lies in the days of a hold, and book as much behind it, inside the grant."""
    if change.first is None or change.last is None or change.last < change.first:
        raise Invalid("say the first and the last day of the hold, in this order", expression="until")
    zone = ctx.clinic.site(hand.series.site).zone
    start = rules.calendar.local_day_start(change.first, zone)
    end = rules.calendar.local_day_end(change.last, zone)
    rows = rules.series_scope.between(hand.sessions, start=start, end=end, now=ctx.at)
    before = {row.id: row.starts_at for row in rows}
    await tx.update(hand.series, held_until=max(end, hand.series.held_until or end))
    because = Reason.of("series-held", starts_on=change.first, ends_on=change.last)
    for row in rows:
        await record.cancel_for(ctx, tx, row, code=record.CLINIC_CANCELS, because=[because])
    await record.give_back(ctx, tx, rows)
    await record.publish_appointment_event(ctx, tx, events.AppointmentCancelled, *rows)
    entitled = await series_in_hand.entitled(ctx, tx, hand)
    await complete_series.run(ctx, tx, hand.referral, hand.series, entitled=entitled, after=end)
    return await series_in_hand.answer(ctx, tx, hand, before)


async def _extend(ctx: Context, tx: Transaction, hand: SeriesInHand, change: SeriesChange) -> ChangedSeries:
    """Let a series have more sessions of a discipline, or boosters from certain days on; all or none."""
    entitled, series, referral = await series_in_hand.entitled(ctx, tx, hand), hand.series, hand.referral
    course = ctx.clinic.programme(referral.programme).course
    only = rules.needs.only_discipline(course)
    discipline = change.discipline or only or ""
    have = rules.series_state.counted_by_discipline(hand.sessions, only=only)
    count = len(change.on) or change.count
    why = rules.booking.why_no_units(have[discipline] + count - 1, entitled=entitled, discipline=discipline)
    if why is not None:
        raise series_in_hand.refusal(ctx, hand, why)
    kept = rules.series_state.counting(hand.sessions)
    added: list[Appointment] = []
    days: Sequence[date | None] = change.on or [None]
    for on in days:
        request = claim_sessions.request_of(
            ctx,
            referral,
            discipline=discipline,
            count=have[discipline] + len(added) + (1 if on else count),
            entitled=entitled,
            kept=[*kept, *added],
            after=ctx.at,
        )
        if on is not None:
            request = request.from_day(on, zone=request.need.site.zone, within=_BOOSTER)
        found = await claim_sessions.claimed(ctx, tx, referral, series, request=request)
        if not isinstance(found, list):
            raise series_in_hand.refusal(ctx, hand, *claim_sessions.refusal(found))
        added += found
    wanted = rules.series_state.wanted_at_least(series.wanted, [*hand.sessions, *added], only=only)
    series.wanted = wanted
    await complete_series.save(ctx, tx, series, sessions=[*hand.sessions, *added], added=added)
    return await series_in_hand.answer(ctx, tx, hand, dict.fromkeys((row.id for row in added), None))


async def _book_partly(
    ctx: Context, tx: Transaction, hand: SeriesInHand, change: SeriesChange
) -> ChangedSeries:
    """Book what has room of a series that has no room as a whole; the rest is on the worklist."""
    firsts = await queries.appointments.firsts_of(tx, hand.referral.id)
    first = next(iter(rules.series_state.counting(firsts)), None)
    if first is None or first.ends_at is None:
        raise series_in_hand.refusal(ctx, hand, Reason.of("first-has-no-time"))
    booked = await book_series.run_partly(
        ctx,
        tx,
        hand.referral,
        series=hand.series,
        entitled=await series_in_hand.entitled(ctx, tx, hand),
        kept=rules.series_state.counting(hand.sessions),
        after=first.ends_at,
    )
    if not booked:
        raise series_in_hand.refusal(ctx, hand, *hand.series.reasons)
    return await series_in_hand.answer(ctx, tx, hand, dict.fromkeys((row.id for row in booked), None))


async def _settle(ctx: Context, tx: Transaction, hand: SeriesInHand, change: SeriesChange) -> ChangedSeries:
    """Leave a series at what it has: nothing more is looked for, and nobody has to see to it."""
    series = hand.series
    if series.status != SeriesStatus.NOT_BOOKED:
        only = rules.needs.only_discipline(ctx.clinic.programme(hand.referral.programme).course)
        series.wanted = dict(rules.series_state.counted_by_discipline(hand.sessions, only=only))
    series.short, series.short_since = None, None
    because = [*series.reasons, as_written(str(change.words))]
    status = SeriesStatus(series.status)
    await record.update_series(ctx, tx, series, status=status, because=because, sessions=hand.sessions)
    return await series_in_hand.answer(ctx, tx, hand, {})


_ACTS = {
    SeriesAct.CANCEL: _cancel,
    SeriesAct.MOVE: move_sessions.run,
    SeriesAct.HOLD: _hold,
    SeriesAct.EXTEND: _extend,
    SeriesAct.BOOK_PARTLY: _book_partly,
    SeriesAct.SETTLE: _settle,
}
