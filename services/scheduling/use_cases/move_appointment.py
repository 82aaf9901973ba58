"""Give an appointment a time that a person chose, or say which resource blocks it and until when."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.scheduling import queries, rules
from services.scheduling.models import Appointment, Referral
from services.scheduling.states import STANDING, AppointmentStatus, ReferralState
from services.scheduling.use_cases.place_first import record_first
from services.scheduling.use_cases.promise import tell_promise, weigh_promise
from services.scheduling.use_cases.recording import keep, patient_key, resources_of, take, tell
from services.scheduling.use_cases.settle_series import entitlement_of, first_with_time, settle_series
from services.scheduling.use_cases.timer_kinds import TimerKind
from shared import timers
from shared.clinic import Person
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict
from shared.events.catalog import scheduling as events
from shared.fhir.codes import AppointmentKind

_ROUNDS = 5


class CannotMove(Conflict):
    """The wanted time cannot be had; the text says which resource or bound stands in the way."""


async def move_appointment(
    ctx: Context, tx: Transaction, row: Appointment, *, referral: Referral, start: datetime
) -> None:
    """Move a booked appointment, or book a place on the waitlist at a chosen time, later than due too."""
    waited = row.status == AppointmentStatus.WAITLIST
    span = rules.Span(start, start + timedelta(minutes=row.minutes))
    _check(ctx, row, span, referral=referral)
    if row.kind == AppointmentKind.SESSION:
        await _check_bounds(ctx, tx, row, span, referral=referral)
    await _take(ctx, tx, row, span, referral=referral)
    if waited:
        await record_first(ctx, tx, row, referral=referral, from_waitlist=True)
        return
    await timers.schedule(tx, kind=TimerKind.OFFER, ref=row.site, due=ctx.at)
    await keep(ctx, tx, row)
    if row.kind == AppointmentKind.SESSION:
        tell(ctx, tx, events.AppointmentMoved, row)
        return
    promise = await weigh_promise(ctx, tx, referral)
    tell(ctx, tx, events.AppointmentMoved, row, promise=promise)
    tell_promise(ctx, tx, promise)
    await settle_series(ctx, tx, referral)


def _check(ctx: Context, row: Appointment, span: rules.Span, *, referral: Referral) -> None:
    if row.status not in (AppointmentStatus.WAITLIST, AppointmentStatus.BOOKED):
        text = f"an appointment that is {row.status} has no new time"
        raise CannotMove(text, expression="Appointment.start")
    if referral.state == ReferralState.ENDED:
        raise CannotMove("the referral has ended", expression="Appointment.start")
    if span.start <= ctx.at:
        raise CannotMove("the new start lies in the past", expression="Appointment.start")


async def _take(
    ctx: Context, tx: Transaction, row: Appointment, span: rules.Span, *, referral: Referral
) -> None:
    need = _need(ctx, row, referral=referral)
    resources = resources_of(need, patient_id=row.patient_id)
    await queries.know_resources(tx, resources)
    for _ in range(_ROUNDS):
        taken = await queries.taken(tx, resources, window=span, but_not=[row.id])
        place = rules.place_at(
            span,
            need=need,
            people=_people(row, need=need, taken=taken),
            prefer_room=row.room,
            patient=taken.get(patient_key(row.patient_id), ()),
            taken=taken,
        )
        if isinstance(place, rules.Blocked):
            raise CannotMove(_text(place), expression="Appointment.start")
        if await take(tx, row, place, moving=row.starts_at is not None):
            return
    raise CannotMove("others book at this time at this moment; try again", expression="Appointment.start")


async def _check_bounds(
    ctx: Context, tx: Transaction, row: Appointment, span: rules.Span, *, referral: Referral
) -> None:
    """Hold a session's new time against the first appointment, the grant and the pace of the programme."""
    zone = ctx.clinic.site(referral.site).zone
    day = span.start.astimezone(zone).date()
    firsts = await queries.first_appointments(tx, referral.id)
    entitled = await entitlement_of(ctx, tx, referral, firsts=firsts)
    first = first_with_time(firsts)
    if first is not None and first.ends_at is not None and span.start < first.ends_at:
        raise CannotMove("a session comes after the first appointment", expression="Appointment.start")
    if isinstance(entitled, rules.NoEntitlement):
        raise CannotMove(entitled.why, expression="Appointment.start")
    if not rules.inside_dates(day, entitled=entitled):
        text = f"the payer grants sessions from {entitled.starts_on} to {entitled.ends_on}"
        raise CannotMove(text, expression="Appointment.start")
    sessions = await queries.sessions_of(tx, row.series_id) if row.series_id else []
    others = [one for one in sessions if one.id != row.id and _counts(one)]
    week = [one for one in others if one.starts_at and _week(one.starts_at, zone) == rules.week_of(day)]
    visit = ctx.clinic.programme(referral.programme).sessions
    if visit is not None and len(week) >= visit.per_week:
        text = f"the programme has at most {visit.per_week} sessions a week"
        raise CannotMove(text, expression="Appointment.start")


def _need(ctx: Context, row: Appointment, *, referral: Referral) -> rules.Need:
    programme = ctx.clinic.programme(referral.programme)
    is_session = row.kind == AppointmentKind.SESSION and programme.sessions is not None
    visit = programme.sessions if is_session and programme.sessions else programme.first
    purpose = "session" if is_session else "first"
    return rules.need_of(ctx.clinic, site_id=referral.site, visit=visit, purpose=purpose)


def _people(row: Appointment, *, need: rules.Need, taken: rules.Taken) -> Sequence[Person]:
    """Keep the clinician of a booked visit; whoever waits gets the least loaded first."""
    if row.practitioner is not None:
        return [person for person in need.people if person.id == row.practitioner]
    return sorted(need.people, key=lambda one: (len(taken.get(rules.person_key(one.id), ())), one.id))


def _text(blocked: rules.Blocked) -> str:
    until = f" until {blocked.until:%Y-%m-%dT%H:%M:%SZ}" if blocked.until else ""
    return f"{blocked.resource} {blocked.why}{until}"


def _counts(row: Appointment) -> bool:
    return row.status in (*STANDING, AppointmentStatus.FULFILLED)


def _week(moment: datetime, zone: ZoneInfo) -> rules.Week:
    return rules.week_of(moment.astimezone(zone).date())
