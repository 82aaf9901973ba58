"""A session that a person books beside those of its series: one more, inside the grant and the pace.

It belongs to the series that is booked, so whatever bounds, cuts or ends that bounds, cuts and ends it too.
"""

from datetime import datetime

from services.scheduling import fhir, queries, rules
from services.scheduling.models.rows import Appointment, Referral, Series
from services.scheduling.rules.moving import cannot_move
from services.scheduling.use_cases import move, reconcile_series, record
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import scheduling as events
from shared.fhir import store


async def check(
    ctx: Context, tx: Transaction, row: Appointment, start: datetime, *, referral: Referral
) -> Series:
    """Lock the series of a session and hold its start against first appointment, grant, units and pace.

    Puts the series into the row; raises CannotMove.
    """
    series = await queries.series.locked_of(tx, referral.id)
    if (why := rules.booking.why_no_session(series)) is not None or series is None:
        raise cannot_move(why or rules.booking.NO_SERIES)
    row.series_id = series.id
    firsts = await queries.appointments.firsts_of(tx, referral.id)
    entitled = await reconcile_series.entitlement_of(ctx, tx, referral, firsts=firsts)
    sessions = await queries.appointments.sessions_of(tx, series.id)
    discipline = rules.needs.discipline_of(ctx.clinic, row)
    course = ctx.clinic.programme(referral.programme).course
    counted = rules.series_state.counted_by_discipline(
        [one for one in sessions if one.id != row.id], only=rules.needs.only_discipline(course)
    )
    late = rules.late_cancellation.using_a_unit(sessions)
    used = rules.series_state.sessions_in(
        late, discipline=discipline, only=rules.needs.only_discipline(course)
    )
    count = counted[discipline] + len(used)
    why = rules.booking.why_no_units(count, entitled=entitled, discipline=discipline)
    if why is not None:
        raise cannot_move(why)
    check_start = move.session_check_by(
        ctx, row, referral=referral, firsts=firsts, sessions=sessions, entitled=entitled
    )
    check_start(start)
    return series


async def save(ctx: Context, tx: Transaction, row: Appointment, *, series: Series) -> None:
    """Write a session that was booked, publish it, and let its series name it."""
    await record.save_visit(ctx, tx, row, events.AppointmentBooked)
    sessions = await queries.appointments.sessions_of(tx, series.id)
    course = ctx.clinic.programme(row.programme).course
    wanted = rules.series_state.wanted_at_least(
        series.wanted, sessions, only=rules.needs.only_discipline(course)
    )
    short = rules.series_state.still_short(series.short, rules.needs.discipline_of(ctx.clinic, row))
    if not short:
        series.reasons = []
    body = fhir.series.render(ctx, series, sessions=sessions)
    since = series.short_since if short else None
    await store.update(
        tx,
        series,
        body,
        at=ctx.at,
        wanted=wanted,
        short=short,
        short_since=since,
        reasons=series.reasons,
    )
