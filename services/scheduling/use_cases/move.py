"""Give an appointment a time that a person chose, or refuse with what blocks it and until when."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from services.scheduling import queries, rules
from services.scheduling.models.rows import Appointment, Referral
from services.scheduling.models.spans import Span
from services.scheduling.models.timer_kinds import TimerKind
from services.scheduling.rules.entitlement import Entitlement, NoEntitlement
from services.scheduling.states import UNTIMED
from services.scheduling.use_cases import (
    book_first,
    freed_time,
    reconcile_series,
    record,
    record_visits,
    take_seat,
)
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import scheduling as events
from shared.fhir.codes import FIRST_KINDS, AppointmentKind
from shared.reasons import Reason

_ROUNDS = 5


async def run(
    ctx: Context,
    tx: Transaction,
    row: Appointment,
    *,
    referral: Referral,
    start: datetime,
    lead: str | None = None,
    room: str | None = None,
) -> None:
    """Move a booked appointment, or book a place on the waitlist at a chosen time, later than due too.

    `lead` leads it from then on, in this `room`; at the time that it has that is all that changes.
    """
    rules.moving.check(row, start, referral=referral, now=ctx.at)
    if row.kind == AppointmentKind.SESSION:
        await check_session(ctx, tx, row, start, referral=referral)
    before = row.model_copy()
    await take(ctx, tx, row, start, lead=lead, room=room)
    if row.status in UNTIMED:
        await book_first.booked(ctx, tx, referral, row)
        return
    await timers.schedule(tx, kind=TimerKind.OFFER, ref=row.site, due=ctx.at)
    # It may have been over, and somebody asked to record it.
    await record_visits.follow(ctx, tx, [row])
    await freed_time.note(ctx, tx, [before])
    event = events.AppointmentReassigned if start == before.starts_at else events.AppointmentMoved
    if row.kind not in FIRST_KINDS:
        await record.save_visit(ctx, tx, row, event)
        return
    evaluated = await record.save_first(ctx, tx, row, event, referral=referral)
    await reconcile_series.run(ctx, tx, referral, firsts=evaluated.firsts)


async def take(
    ctx: Context,
    tx: Transaction,
    row: Appointment,
    start: datetime,
    *,
    lead: str | None = None,
    room: str | None = None,
) -> None:
    """Take a chosen time for an appointment, with `lead` and in `room` where that is said, and put it into
    the row, without writing that.

    Raises CannotMove with what blocks it and until when.
    """
    need = rules.needs.need_of_row(ctx.clinic, row, at=ctx.at)
    if need is None:
        raise rules.moving.cannot_move(Reason.of("no-such-visit"))
    if row.practitioner is not None and row.starts_at is None:
        need = need.led_by({row.practitioner})
    need = need if lead is None else need.led_by({lead})
    need = need if room is None else need.in_room(room)
    resources = [*need.resources, rules.needs.patient_key(row.patient_id)]
    if row.overbooked_because is not None:
        resources += [rules.needs.second_key(person.id) for person in need.people]
    span, moving = Span(start, start + timedelta(minutes=row.minutes)), row.starts_at is not None
    left = rules.given_up.by_moving(row) if start != row.starts_at else []
    if moving:
        # Before anything is claimed, as whoever gives time back and then books does it.
        await queries.occupancy.count_freed(tx, [row.site])
    if need.seats is not None:
        await take_seat.run(ctx, tx, row, span, need=need)
        await queries.given_up.take_back(tx, row.patient_id, resources=resources, span=span)
        await queries.given_up.keep(tx, left)
        return
    for _ in range(_ROUNDS):
        window = need.taken_by(span)
        taken = await queries.occupancy.taken(tx, resources, window=window, at=ctx.at, but_not=[row.id])
        place = rules.moving.place_at(span, row, need=need, taken=taken)
        claim = record.claim_of(row, place)
        if await queries.occupancy.claim_all(tx, [claim], at=ctx.at, moving=moving):
            await queries.given_up.take_back(tx, row.patient_id, resources=claim.resources, span=span)
            await queries.given_up.keep(tx, left)
            record.put_into(row, place)
            return
    raise rules.moving.cannot_move(Reason.of("contended"))


async def check_session(
    ctx: Context, tx: Transaction, row: Appointment, start: datetime, *, referral: Referral
) -> None:
    """Hold a session's start against the first appointment, the grant and the pace; raises CannotMove."""
    check = await session_check(ctx, tx, row, referral=referral)
    check(start)


async def session_check(
    ctx: Context, tx: Transaction, row: Appointment, *, referral: Referral
) -> Callable[[datetime], None]:
    """Return what holds a start of a session as `check_session` does, for who asks for several."""
    firsts = await queries.appointments.firsts_of(tx, referral.id)
    entitled = await reconcile_series.entitlement_of(ctx, tx, referral, firsts=firsts)
    sessions = await queries.appointments.sessions_of(tx, row.series_id) if row.series_id else []
    return session_check_by(ctx, row, referral=referral, firsts=firsts, sessions=sessions, entitled=entitled)


def session_check_by(
    ctx: Context,
    row: Appointment,
    *,
    referral: Referral,
    firsts: Sequence[Appointment],
    sessions: Sequence[Appointment],
    entitled: Entitlement | NoEntitlement,
) -> Callable[[datetime], None]:
    """Return the same from what was read of the referral and the series."""
    course = ctx.clinic.programme(referral.programme).course
    discipline = rules.needs.discipline_of(ctx.clinic, row)
    of_discipline = rules.series_state.sessions_in(
        sessions, discipline=discipline, only=rules.needs.only_discipline(course)
    )
    return partial(
        rules.moving.check_session,
        first=next(iter(rules.series_state.counting(firsts)), None),
        others=[session for session in of_discipline if session.id != row.id],
        entitled=entitled,
        discipline=discipline,
        per_week=None if course is None else course.most_per_week(discipline),
        zone=ctx.clinic.site(referral.site).zone,
    )
