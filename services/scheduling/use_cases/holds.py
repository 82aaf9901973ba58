"""What becomes of a hold: it is booked by who holds it, let go, or expires; of these one wins.

Whoever calls this has locked the referral and the appointment.
"""

from collections.abc import Sequence
from uuid import UUID

from services.scheduling import queries, rules
from services.scheduling.models.rows import Appointment, Referral
from services.scheduling.models.timer_kinds import TimerKind
from services.scheduling.rules.moving import cannot_move
from services.scheduling.states import AppointmentStatus
from services.scheduling.use_cases import book_session, move, record, take_seat
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import scheduling as events
from shared.fhir.codes import FIRST_KINDS, AppointmentKind
from shared.reasons import Reason

_OTHER = "other"


async def book(ctx: Context, tx: Transaction, row: Appointment, *, referral: Referral) -> Appointment:
    """Book what is held, and return the visit: of a first one that is the referral's first appointment.

    Raises CannotMove where the hold has ended, or the referral has.
    """
    if row.status != AppointmentStatus.PENDING:
        raise cannot_move(row.reasons[0])
    firsts = await queries.appointments.firsts_of(tx, referral.id)
    why = rules.booking.why_not_confirmed(row, referral=referral, firsts=firsts, now=ctx.at)
    if why is not None:
        raise cannot_move(why)
    if row.kind in FIRST_KINDS:
        return await _book_first(ctx, tx, row, referral=referral, firsts=firsts)
    series = None
    if row.kind == AppointmentKind.SESSION and row.starts_at is not None:
        series = await book_session.check(ctx, tx, row, row.starts_at, referral=referral)
    if await queries.occupancy.keep_held(tx, row.id) != rules.booking.count_taken(row):
        raise cannot_move(Reason.of("hold-expired", until=row.held_until))
    if row.group_session is not None:
        await take_seat.keep(tx, row.group_session, until=row.held_until)
    await timers.cancel(tx, kind=TimerKind.HOLD, ref=str(row.id))
    row.status, row.held_until, row.held_by = AppointmentStatus.BOOKED, None, None
    if series is None:
        await record.save_visit(ctx, tx, row, events.AppointmentBooked)
    else:
        await book_session.save(ctx, tx, row, series=series)
    return row


async def _book_first(
    ctx: Context, tx: Transaction, row: Appointment, *, referral: Referral, firsts: Sequence[Appointment]
) -> Appointment:
    """Give the time that is held to the referral's first appointment."""
    first = rules.booking.first_to_take(firsts)
    if first is None or row.starts_at is None:
        raise cannot_move(Reason.of("no-first-to-book"))
    await let_go(ctx, tx, row, because=Reason.of("hold-was-booked"))
    rules.booking.become(first, row)
    await move.run(ctx, tx, first, referral=referral, start=row.starts_at)
    return first


async def let_go(
    ctx: Context, tx: Transaction, row: Appointment, *, because: Reason, code: str = _OTHER
) -> None:
    """End a hold and give its time back; nobody is told of what nobody was told of."""
    await timers.cancel(tx, kind=TimerKind.HOLD, ref=str(row.id))
    row.status, row.reason_code, row.reasons = AppointmentStatus.CANCELLED, code, [because]
    await record.save_appointment(ctx, tx, row)
    await record.give_back(ctx, tx, [row])


async def expire(ctx: Context, tx: Transaction, appointment_id: UUID) -> None:
    """End a hold that has expired, unless it was booked or let go."""
    referral = await queries.referrals.locked_of(tx, appointment_id)
    row = await queries.appointments.locked(tx, appointment_id)
    if referral is None or row is None or row.status != AppointmentStatus.PENDING:
        return
    if row.held_until is not None and row.held_until <= ctx.at:
        await let_go(ctx, tx, row, because=Reason.of("hold-expired", until=row.held_until))
