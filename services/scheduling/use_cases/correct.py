"""A coordinator corrects a status that was recorded by mistake; what followed from it is taken back.

What cannot be taken back is said in the appointment, beside what is: the version that the correction makes
has an extension of it, which the event carries to the other services.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from services.scheduling import queries, rules, texts
from services.scheduling.models.correction import Correction
from services.scheduling.models.rows import Appointment, Referral
from services.scheduling.rules.correction import CannotCorrect
from services.scheduling.rules.entitlement import NoEntitlement
from services.scheduling.rules.moving import CannotMove
from services.scheduling.states import CORRECTIONS, LOST, AppointmentStatus, ReferralState
from services.scheduling.use_cases import (
    book_first,
    change,
    end,
    move,
    recall,
    reconcile_series,
    record,
    record_guarantee,
    take_seat,
)
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from services.scheduling.use_cases.record_guarantee import EvaluatedGuarantee
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.db.models import Resource
from shared.errors import Invalid
from shared.events.catalog import DomainEvent
from shared.events.catalog import scheduling as events
from shared.events.outbox.publishing import Publication, publish_all
from shared.fhir.codes import FIRST_KINDS, AppointmentKind, GuaranteeStatus
from shared.reasons import Reason, as_written

_FINAL = (GuaranteeStatus.MET, GuaranteeStatus.ENDED)
_ERROR = "oth-err"
# A first appointment that was booked in the place of another, and what happened to it.
Instead = tuple[Appointment, type[DomainEvent]]


class NoReason(Invalid):
    """A correction needs a status and a reason."""


async def run(
    ctx: Context,
    tx: Transaction,
    appointment_id: str,
    *,
    given: Mapping[str, Any],
    expect: Callable[[Resource], None],
) -> Appointment:
    """Correct what was recorded of an appointment; raises CannotCorrect with what stands in the way.

    Where it says already what it should, nothing is written. `expect` holds the version that was read against
    the one that stands.
    """
    status, words = _asked(given)
    referral, row = await change.for_caller(ctx, tx, appointment_id)
    expect(row)
    _refuse(ctx, row, rules.correction.why_nothing_to_correct(row, referral=referral))
    if row.status == status:
        return row
    firsts = await queries.appointments.firsts_of(tx, referral.id)
    _refuse(ctx, row, rules.correction.why_stays_lost(row, firsts=firsts))
    zone = ctx.clinic.site(row.site).zone
    why = rules.correction.why_not(row, status, referral=referral, now=ctx.at, zone=zone)
    _refuse(ctx, row, why)
    because = [Reason.of("recorded-by-mistake", state=row.status), as_written(words)]
    if row.kind in FIRST_KINDS:
        await _correct_first(ctx, tx, row, status, referral=referral, because=because)
    else:
        await _correct_other(ctx, tx, row, status, referral=referral, because=because)
    await recall.follow(ctx, tx, row, referral=referral)
    return row


async def _correct_first(
    ctx: Context,
    tx: Transaction,
    row: Appointment,
    status: AppointmentStatus,
    *,
    referral: Referral,
    because: Sequence[Reason],
) -> None:
    was = row.status
    instead, taken_back = await _call_off_instead(ctx, tx, row, status, referral=referral)
    await _put_into(ctx, tx, row, status)
    firsts = [
        row if first.id == row.id else first
        for first in await queries.appointments.firsts_of(tx, referral.id)
    ]
    guarantee = await queries.guarantees.locked_of(tx, referral.id)
    before = guarantee.status
    evaluated = record_guarantee.evaluate(ctx, guarantee, referral, firsts, corrects=True)
    if guarantee.status != before:
        taken_back.append(Reason.of("guarantee-is-now", status=guarantee.status))
    more, remains = await _sessions(ctx, tx, referral, firsts=firsts)
    remains += [Reason.of("plan-stays-if-worked-on")] if was == AppointmentStatus.FULFILLED else []
    correction = Correction(
        was=was,
        because=because,
        taken_back=[*taken_back, *more],
        remains=[*remains, Reason.of("messages-were-sent")],
    )
    await record.save_appointment(ctx, tx, row, correction=correction)
    await _save_guarantee(ctx, tx, evaluated, referral=referral, was=before)
    corrected = record.first_publications(ctx, row, events.AppointmentCorrected, evaluated=evaluated)
    await publish_all(tx, [*_about_instead(ctx, instead, evaluated), *corrected])
    await _follow(ctx, tx, row, referral=referral, firsts=firsts)


async def _correct_other(
    ctx: Context,
    tx: Transaction,
    row: Appointment,
    status: AppointmentStatus,
    *,
    referral: Referral,
    because: Sequence[Reason],
) -> None:
    was = row.status
    is_session = row.kind == AppointmentKind.SESSION
    again = rules.correction.takes_its_time_again(row, status)
    if is_session and again and row.starts_at and row.starts_at > ctx.at:
        try:
            await move.check_session(ctx, tx, row, row.starts_at, referral=referral)
        except CannotMove as refusal:
            _refuse(ctx, row, refusal.problems[0].reason)
    await _put_into(ctx, tx, row, status)
    correction = Correction(was=was, because=because)
    await record.save_appointment(ctx, tx, row, correction=correction)
    await record.publish_appointment_event(ctx, tx, events.AppointmentCorrected, row)
    if is_session:
        await reconcile_series.recount(ctx, tx, referral, row, was=AppointmentStatus(was))


async def _call_off_instead(
    ctx: Context, tx: Transaction, row: Appointment, status: AppointmentStatus, *, referral: Referral
) -> tuple[Instead | None, list[Reason]]:
    """Call off what was booked in the place of a visit that stands after all, and say what it was."""
    firsts = await queries.appointments.firsts_of(tx, referral.id)
    other = rules.correction.booked_instead(row, firsts=firsts)
    if other is None or status in LOST:
        return None, []
    event = await end.call_off(ctx, tx, other, because=Reason.of("booked-for-a-mistake"), code=_ERROR)
    await record.save_appointment(ctx, tx, other)
    if other.starts_at is None:
        return (other, event), [Reason.of("waitlist-place-given-up")]
    return (other, event), [Reason.of("visit-instead-called-off", when=other.starts_at)]


def _about_instead(ctx: Context, instead: Instead | None, evaluated: EvaluatedGuarantee) -> list[Publication]:
    if instead is None:
        return []
    other, event = instead
    return record.first_publications(ctx, other, event, evaluated=replace(evaluated, events=()))


async def _put_into(ctx: Context, tx: Transaction, row: Appointment, status: AppointmentStatus) -> None:
    """Give a row its status with the time that it takes again or gives back."""
    if rules.correction.takes_its_time_again(row, status):
        await _take_again(ctx, tx, row)
    elif status in LOST:
        await record.give_back(ctx, tx, [row])
    row.status = status
    row.reason_code, row.other_codings, row.reasons, row.patient_caused = None, [], [], False


async def _take_again(ctx: Context, tx: Transaction, row: Appointment) -> None:
    if row.group_session is not None:
        try:
            await take_seat.again(ctx, tx, row)
        except CannotMove as refusal:
            _refuse(ctx, row, refusal.problems[0].reason)
        return
    need = rules.needs.need_of_row(ctx.clinic, row, at=ctx.at)
    if need is None:
        raise _refusal(ctx, row, Reason.of("no-such-visit"))
    place = rules.correction.own_place(row, need=need)
    if place is None:
        raise _refusal(ctx, row, Reason.of("had-no-time"))
    claim = record.claim_of(row, place)
    # Before anything is claimed, as whoever gives time back and then books does it.
    await queries.occupancy.count_freed(tx, [row.site])
    taken = await queries.occupancy.taken(
        tx, claim.resources, window=place.taken, at=ctx.at, but_not=[row.id]
    )
    _refuse(ctx, row, rules.correction.why_time_is_gone(row, need=need, taken=taken, now=ctx.at))
    if not await queries.occupancy.claim_all(tx, [claim], at=ctx.at, moving=True):
        _refuse(ctx, row, Reason.of("contended"))
    await queries.given_up.take_back(tx, row.patient_id, resources=claim.resources, span=place.span)


async def _sessions(
    ctx: Context, tx: Transaction, referral: Referral, *, firsts: Sequence[Appointment]
) -> tuple[list[Reason], list[Reason]]:
    """Say what of the sessions that followed the first appointment is called off, and what took place."""
    series = await queries.series.locked_of(tx, referral.id)
    sessions = [] if series is None else await queries.appointments.sessions_of(tx, series.id)
    entitled = await reconcile_series.entitlement_of(ctx, tx, referral, firsts=firsts)
    if not sessions or not isinstance(entitled, NoEntitlement):
        return [], []
    to_come = len(rules.series_state.to_come(sessions, after=ctx.at))
    held = sum(session.status == AppointmentStatus.FULFILLED for session in sessions)
    called_off = [Reason.of("sessions-called-off", count=to_come)] if to_come else []
    return called_off, [Reason.of("sessions-held", count=held)] if held else []


async def _save_guarantee(
    ctx: Context, tx: Transaction, evaluated: EvaluatedGuarantee, *, referral: Referral, was: str
) -> None:
    await record_guarantee.save_guarantee(tx, evaluated)
    if was in _FINAL and evaluated.guarantee.status not in _FINAL:
        await timers.schedule_all(
            tx, record_guarantee.timers_of(ctx, referral, guarantee=evaluated.guarantee)
        )


async def _follow(
    ctx: Context, tx: Transaction, row: Appointment, *, referral: Referral, firsts: Sequence[Appointment]
) -> None:
    """Do what follows from what is true now: a first visit that was lost is booked again."""
    lives = rules.correction.booked_instead(row, firsts=firsts)
    if row.status in LOST and lives is None and referral.state == ReferralState.OPEN:
        await book_first.run(ctx, tx, referral, cache=AvailabilityCache())
    else:
        await reconcile_series.run(ctx, tx, referral, firsts=firsts)


def _asked(given: Mapping[str, Any]) -> tuple[AppointmentStatus, str]:
    """Read the status and the reason; raises NoReason where either is missing."""
    words = str(given.get("reason") or "").strip()
    possible = sorted(set(_every_correction()))
    if given.get("status") not in possible:
        raise NoReason(f"status is one of {', '.join(possible)}", expression="Parameters.parameter")
    if not words:
        raise NoReason("a correction says why", expression="Parameters.parameter")
    return AppointmentStatus(given["status"]), words


def _every_correction() -> Iterator[AppointmentStatus]:
    for possible in CORRECTIONS.values():
        yield from possible


def _refuse(ctx: Context, row: Appointment, why: Reason | None) -> None:
    """Raise CannotCorrect where there is a reason."""
    if why is not None:
        raise _refusal(ctx, row, why)


def _refusal(ctx: Context, row: Appointment, why: Reason) -> CannotCorrect:
    """Make the refusal for a reason, told in the zone of the site and with the names of this clinic."""
    zone, words = ctx.clinic.site(row.site).zone, texts.words_of(ctx.clinic)
    return CannotCorrect.because(why, texts.REASONS, expression="Appointment.status", zone=zone, words=words)
