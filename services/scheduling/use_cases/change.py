"""A person changes an appointment: arrived, in the room, fulfilled, missed, cancelled, or a new time."""

from uuid import UUID

from services.scheduling import queries, rules, texts
from services.scheduling.models.appointment_change import AppointmentChange, CancellationReason
from services.scheduling.models.rows import Appointment, Referral
from services.scheduling.rules.moving import CannotMove
from services.scheduling.rules.status_change import NotInThisState, TooEarly
from services.scheduling.states import LOST, AppointmentStatus, ReferralState
from services.scheduling.use_cases import (
    book_first,
    freed_time,
    holds,
    move,
    recall,
    reconcile_series,
    record,
)
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict, Forbidden, NotFound
from shared.events.catalog import DomainEvent
from shared.events.catalog import scheduling as events
from shared.fhir.codes import FIRST_KINDS, AppointmentKind
from shared.reasons import Reason, as_written

_EVENTS: dict[AppointmentStatus, type[DomainEvent]] = {
    AppointmentStatus.ARRIVED: events.AppointmentArrived,
    AppointmentStatus.CHECKED_IN: events.AppointmentCheckedIn,
    AppointmentStatus.FULFILLED: events.AppointmentFulfilled,
    AppointmentStatus.MISSED: events.AppointmentMissed,
    AppointmentStatus.CANCELLED: events.AppointmentCancelled,
}


class HeldByAnother(Conflict):
    """Somebody else holds the time; who that is is not said."""


class ChangedMeanwhile(Conflict):
    """Somebody has changed the appointment since it was read."""


class VisitOfAnother(Forbidden):
    """A clinician changes their own visits; those of their teams' patients they only see."""


async def for_caller(ctx: Context, tx: Transaction, appointment_id: str) -> tuple[Referral, Appointment]:
    """Lock an appointment that the caller may change, and its referral first.

    Raises NotFound for one that they do not see, VisitOfAnother for one that they only see, HeldByAnother for
    the hold of another client.
    """
    seen = await seen_by_caller(ctx, tx, appointment_id)
    referral = await queries.referrals.locked(tx, seen.referral_id)
    row = await queries.appointments.locked(tx, seen.id)
    if referral is None or row is None:
        raise LookupError(f"appointment {seen.id} has no referral")
    if (why := rules.acts.may_change(ctx, row)) is not None:
        raise VisitOfAnother.because(why, texts.REASONS)
    if (why := rules.acts.why_held(ctx, row)) is not None:
        zone = ctx.clinic.site(row.site).zone
        raise HeldByAnother.because(why, texts.REASONS, expression="Appointment.status", zone=zone)
    return referral, row


async def seen_by_caller(ctx: Context, tx: Transaction, appointment_id: str) -> Appointment:
    """Read an appointment without a lock; raises NotFound for one that the caller does not see."""
    unknown = NotFound(f"there is no Appointment/{appointment_id}")
    try:
        wanted = UUID(appointment_id)
    except ValueError:
        raise unknown from None
    seen = await queries.appointments.visible(tx, wanted, scope_of=ctx.caller)
    if seen is None:
        raise unknown
    return seen


def expect(row: Appointment, *, version: str | None) -> None:
    """Hold the version that a caller has read against the one that stands; raises ChangedMeanwhile."""
    if version not in (None, str(row.version)):
        text = f"this appointment was changed since version {version} was read: read it again"
        raise ChangedMeanwhile(text, expression="Appointment.meta.versionId")


async def run(
    ctx: Context,
    tx: Transaction,
    row: Appointment,
    change: AppointmentChange,
    *,
    referral: Referral,
    cache: AvailabilityCache,
) -> Appointment:
    """Change a locked appointment of a locked referral; nothing happens where nothing differs.

    Returns the appointment: where a first visit was held, and is booked, the referral's own. A refusal is
    told in the zone of the site and with the names of this clinic.
    """
    try:
        return await _change(ctx, tx, row, change, referral=referral, cache=cache)
    except (CannotMove, NotInThisState, TooEarly) as refusal:
        (problem,) = refusal.problems
        if problem.reason is None:
            raise
        zone, words = ctx.clinic.site(row.site).zone, texts.words_of(ctx.clinic)
        raise type(refusal).because(
            problem.reason, texts.REASONS, expression=problem.expression, zone=zone, words=words
        ) from refusal


async def call_off(
    ctx: Context,
    tx: Transaction,
    row: Appointment,
    *,
    because: Reason,
    referral: Referral,
    cache: AvailabilityCache,
) -> None:
    """Call a locked visit off on the clinic's side; a first one is booked again, a session made up for."""
    row.status, row.reason_code = AppointmentStatus.CANCELLED, record.CLINIC_CANCELS
    row.reasons, row.patient_caused = [because], False
    await _record(
        ctx, tx, row, AppointmentStatus.CANCELLED, referral=referral, cache=cache, is_given_up=False
    )


async def _change(
    ctx: Context,
    tx: Transaction,
    row: Appointment,
    change: AppointmentChange,
    *,
    referral: Referral,
    cache: AvailabilityCache,
) -> Appointment:
    if row.held_until is not None and change.status == AppointmentStatus.BOOKED:
        booked = await holds.book(ctx, tx, row, referral=referral)
        await recall.booked_again(ctx, tx, booked)
        return booked
    if change.start is not None:
        # Another time is another question: whether it may be overbooked was not asked.
        row.overbooked_because = None
        await move.run(ctx, tx, row, referral=referral, start=change.start)
        await freed_time.withdraw(ctx, tx, row)
        await recall.booked_again(ctx, tx, row)
    elif change.status is not None:
        zone = ctx.clinic.site(row.site).zone
        rules.status_change.check(row, change.status, now=ctx.at, zone=zone)
        if row.status == AppointmentStatus.PENDING and change.reason is not None:
            await holds.let_go(ctx, tx, row, because=Reason.of("hold-let-go"), code=change.reason.code)
            return row
        _put_into(ctx, row, change.status, reason=change.reason, referral=referral)
        await _record(ctx, tx, row, change.status, referral=referral, cache=cache)
        await freed_time.withdraw(ctx, tx, row)
        if change.status != AppointmentStatus.CANCELLED:
            await recall.follow(ctx, tx, row, referral=referral)
    return row


def _put_into(
    ctx: Context,
    row: Appointment,
    status: AppointmentStatus,
    *,
    reason: CancellationReason | None,
    referral: Referral,
) -> None:
    row.status = status
    if reason is not None:
        payer = ctx.clinic.payer(referral.payer) if referral.payer else None
        late = rules.late_cancellation.reasons(row, code=reason.code, payer=payer, now=ctx.at)
        row.reason_code, row.patient_caused = reason.code, reason.is_the_patients
        row.other_codings = [dict(coding) for coding in reason.other_codings]
        row.reasons = [*late, as_written(reason.words)] if reason.words else late


async def _record(
    ctx: Context,
    tx: Transaction,
    row: Appointment,
    status: AppointmentStatus,
    *,
    referral: Referral,
    cache: AvailabilityCache,
    is_given_up: bool = True,
) -> None:
    """Record a new status; a lost first appointment is booked again unless the referral has ended.

    A session that is missed is made up for; one that was called off is given up, unless nobody meant that.
    """
    if status in LOST:
        await record.give_back(ctx, tx, [row])
    if status == AppointmentStatus.CANCELLED and row.reason_code is not None:
        await queries.given_up.keep(tx, rules.given_up.by_cancelling(row, code=row.reason_code))
    if row.kind not in FIRST_KINDS:
        await record.save_visit(ctx, tx, row, _EVENTS[status])
        if row.kind == AppointmentKind.SESSION:
            if status == AppointmentStatus.CANCELLED and is_given_up:
                await reconcile_series.give_up(ctx, tx, referral, [row])
            elif status in LOST:
                await reconcile_series.make_up(ctx, tx, referral)
            await reconcile_series.close_if_over(ctx, tx, referral)
        return
    evaluated = await record.save_first(ctx, tx, row, _EVENTS[status], referral=referral)
    if status in LOST and referral.state == ReferralState.OPEN:
        await book_first.run(ctx, tx, referral, cache=cache)
    elif status == AppointmentStatus.FULFILLED:
        await reconcile_series.run(ctx, tx, referral, firsts=evaluated.firsts)
