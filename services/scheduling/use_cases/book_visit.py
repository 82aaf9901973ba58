"""Book or hold a visit at a time that somebody chose, or refuse with what blocks it and until when."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from services.scheduling import queries, rules, texts
from services.scheduling.models.booking import BookableVisit, VisitProposal
from services.scheduling.models.rows import Appointment, Referral
from services.scheduling.models.timer_kinds import TimerKind
from services.scheduling.rules.moving import CannotMove, cannot_move
from services.scheduling.states import AppointmentStatus
from services.scheduling.use_cases import book_session, move, recall, record, self_book
from services.scheduling.use_cases.change import VisitOfAnother
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict, Forbidden, Invalid, NotFound
from shared.events.catalog import scheduling as events
from shared.fhir.codes import AppointmentKind
from shared.fhir.instants import to_the_second
from shared.reasons import Reason


class CannotBook(Conflict):
    """The visit cannot be booked; the text says which resource or bound stands in the way."""


class NoOverbooking(Forbidden):
    """The caller has no right to book a second visit beside another of the same clinician."""


async def run(ctx: Context, tx: Transaction, wanted: VisitProposal) -> Appointment:
    """Book a visit; raises NotFound, Invalid, VisitOfAnother, and CannotBook with what blocks it.

    A first visit takes the place of the one that waits. A refusal is told in the zone of the site and with
    the names of this clinic.
    """
    row = await _refusing(ctx, tx, wanted, _book)
    await recall.booked_again(ctx, tx, row)
    return row


async def hold(ctx: Context, tx: Transaction, wanted: VisitProposal) -> Appointment:
    """Hold a time for the caller until the hold expires, or raise what `run` raises.

    The hold is an Appointment that is `pending`; nobody is told of it.
    """
    return await _refusing(ctx, tx, wanted, _hold)


async def _refusing(
    ctx: Context, tx: Transaction, wanted: VisitProposal, verb: Callable[..., Awaitable[Appointment]]
) -> Appointment:
    """Do this for the locked referral of a proposal; refusals have the words of this clinic."""
    referral = await queries.referrals.visible(tx, wanted.referral_id, scope_of=ctx.caller, lock=True)
    if referral is None:
        raise NotFound(f"there is no ServiceRequest/{wanted.referral_id} here that you may see")
    try:
        visit = _visit(ctx, referral, wanted)
        if rules.self_booking.is_outside(ctx.caller):
            is_first = visit.name == rules.booking.FIRST
            await self_book.check(ctx, tx, referral, is_first=is_first, start=wanted.start)
        return await verb(ctx, tx, referral, wanted, visit=visit)
    except CannotMove as refusal:
        (problem,) = refusal.problems
        if problem.reason is None:
            raise
        raise _refusal(ctx, referral, problem.reason) from refusal


async def _book(
    ctx: Context, tx: Transaction, referral: Referral, wanted: VisitProposal, *, visit: BookableVisit
) -> Appointment:
    if rules.booking.is_first(visit):
        return await _book_first(ctx, tx, referral, wanted, visit=visit)
    row = _new(ctx, referral, wanted, visit=visit)
    rules.moving.check(row, wanted.start, referral=referral, now=ctx.at)
    if visit.kind == AppointmentKind.SESSION:
        series = await book_session.check(ctx, tx, row, wanted.start, referral=referral)
        await move.take(ctx, tx, row, wanted.start)
        await book_session.save(ctx, tx, row, series=series)
        return row
    await move.take(ctx, tx, row, wanted.start)
    await record.save_visit(ctx, tx, row, events.AppointmentBooked)
    return row


async def _hold(
    ctx: Context, tx: Transaction, referral: Referral, wanted: VisitProposal, *, visit: BookableVisit
) -> Appointment:
    row = _new(ctx, referral, wanted, visit=visit)
    rules.moving.check(row, wanted.start, referral=referral, now=ctx.at)
    if visit.kind == AppointmentKind.SESSION:
        await book_session.check(ctx, tx, row, wanted.start, referral=referral)
    if rules.booking.is_first(visit):
        await _first_for(tx, referral, visit=visit)
    until = ctx.at + timedelta(minutes=ctx.clinic.scheduling.hold_minutes)
    row.status, row.held_until, row.held_by = AppointmentStatus.PENDING, until, ctx.caller.client
    await move.take(ctx, tx, row, wanted.start)
    await record.save_appointment(ctx, tx, row)
    await timers.schedule(tx, kind=TimerKind.HOLD, ref=str(row.id), due=until)
    return row


def _new(ctx: Context, referral: Referral, wanted: VisitProposal, *, visit: BookableVisit) -> Appointment:
    row = Appointment(
        referral_id=referral.id,
        kind=visit.kind,
        status=AppointmentStatus.BOOKED,
        patient_id=referral.patient_id,
        programme=referral.programme,
        site=referral.site,
        requester=referral.requester,
        minutes=visit.minutes,
    )
    _choose(ctx, row, wanted, visit=visit)
    return row


async def _book_first(
    ctx: Context, tx: Transaction, referral: Referral, wanted: VisitProposal, *, visit: BookableVisit
) -> Appointment:
    """Give a referral's first appointment the chosen time, and make it the visit that was chosen."""
    row = await _first_for(tx, referral, visit=visit)
    _choose(ctx, row, wanted, visit=visit)
    await move.run(ctx, tx, row, referral=referral, start=wanted.start)
    return row


async def _first_for(tx: Transaction, referral: Referral, *, visit: BookableVisit) -> Appointment:
    """Lock the first appointment in whose place a first visit is booked; raises CannotMove without one."""
    row = rules.booking.first_to_take(await queries.appointments.firsts_of(tx, referral.id))
    if row is None:
        raise cannot_move(Reason.of("no-first-to-book"))
    visit_type = None if visit.type is None else visit.type.id
    if (why := rules.booking.why_first_stands(row, visit.kind, visit_type)) is not None:
        raise cannot_move(why)
    return row


def _choose(ctx: Context, row: Appointment, wanted: VisitProposal, *, visit: BookableVisit) -> None:
    """Put what was chosen into a row; raises VisitOfAnother where it is not for the caller to book."""
    rules.booking.put_into(row, visit)
    people = [*wanted.people]
    if ctx.caller.party == "clinician" and not people:
        people = [str(ctx.caller.practitioner)]
    row.practitioner, row.colleagues = (people[0] if people else None), people[1:]
    row.room, row.overbooked_because = wanted.room, wanted.overbooked_because
    if wanted.overbooked_because is not None and (why := _why_no_overbooking(ctx)) is not None:
        raise NoOverbooking.because(why, texts.REASONS)
    if (why := rules.booking.why_not_by(ctx.caller, row)) is not None:
        raise VisitOfAnother.because(why, texts.REASONS)


def _why_no_overbooking(ctx: Context) -> Reason | None:
    clients = (client for client in ctx.clinic.clients if client.id == ctx.caller.client)
    return rules.booking.why_no_overbooking(next(clients, None))


def _visit(ctx: Context, referral: Referral, wanted: VisitProposal) -> BookableVisit:
    programme = ctx.clinic.programme(referral.programme)
    discipline = wanted.discipline or _discipline_of(ctx, wanted)
    visit = rules.booking.named(programme, wanted.visit, discipline=discipline)
    if visit is None:
        names = ", ".join(one.name for one in rules.booking.visits_of(programme))
        raise Invalid(f"{programme.id} has the visits {names}", expression="Appointment.serviceType")
    fits = rules.booking.end_of(visit, wanted.start)
    if wanted.end not in (None, fits):
        text = f"this visit takes {visit.minutes} minutes, so it would end at {to_the_second(fits)}"
        raise Invalid(text, expression="Appointment.end")
    return visit


def _discipline_of(ctx: Context, wanted: VisitProposal) -> str | None:
    """Return the discipline of the one who is to lead the visit; None where nobody is named."""
    lead = next(iter(wanted.people), None)
    return next((one.discipline for one in ctx.clinic.people if one.id == lead), None)


def _refusal(ctx: Context, referral: Referral, why: Reason) -> CannotBook:
    return CannotBook.because(
        why,
        texts.REASONS,
        expression="Appointment.start",
        zone=ctx.clinic.site(referral.site).zone,
        words=texts.words_of(ctx.clinic),
    )
