"""What this service does when scheduling and careteam say that something happened."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from services.referral import fhir, rules, use_cases
from services.referral.models.rows import Referral
from services.referral.states import State, Turn
from services.referral.use_cases.referral_file import local_day
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import DomainEvent
from shared.events.catalog.careteam import PatientDischarged, PlanActivated, TeamEvent
from shared.events.catalog.scheduling import (
    AppointmentCorrected,
    AppointmentEvent,
    GuaranteeEvent,
    GuaranteeForecastLifted,
    GuaranteePromised,
    SeriesEvent,
    SeriesNotBooked,
)
from shared.events.inbox.handling import EventBatch, NotYet
from shared.reasons import Reason, as_written
from shared.timers import Timer

Followed = use_cases.follow.Followed


async def on_events(_: Context, tx: Transaction, batch: EventBatch) -> None:
    """Lock all referrals that a batch is about, read their Tasks, and follow event by event."""
    about = [_about(item.event) for item in batch]
    followed = await use_cases.follow.load(tx, {referral for referral in about if referral is not None})
    for item in batch:
        with item.span():
            try:
                await HANDLERS[item.event.type](item.ctx, tx, item.event, followed)
            except NotYet as error:
                batch.defer(error)
    if not batch.early:
        await use_cases.follow.save(tx, followed)


async def on_first_appointment(
    ctx: Context, tx: Transaction, event: AppointmentEvent, followed: Followed
) -> None:
    """Follow a first appointment; a session changes no more than what is used of an authorization."""
    await use_cases.count_units.run(ctx, tx, event, referral_id=_about(event), followed=followed)
    referral = _open(followed, event) if event.is_first else None
    if referral is not None:
        turn, reason = FIRST_APPOINTMENT[event.type](event)
        reason += _later_than_wished(ctx, referral, event)
        use_cases.follow.step(ctx, referral, event=event.type, reason=reason, turn=turn, followed=followed)
        _note_first_seen(referral, event)


async def on_appointment_arrived(
    ctx: Context, tx: Transaction, event: AppointmentEvent, followed: Followed
) -> None:
    """Note that the patient is there; that they were shown into the room says nothing more."""
    referral = _open(followed, event) if event.is_first else None
    if referral is not None:
        reason = Reason.of("patient-arrived", when=event.starts_at)
        use_cases.follow.note(ctx, referral, reason=reason, followed=followed)


async def on_appointment_corrected(
    ctx: Context, tx: Transaction, event: AppointmentCorrected, followed: Followed
) -> None:
    """Follow what a first appointment is now that a mistake was put right.

    Where the care has gone on since, that is said and nothing is taken back; of a session its unit is.
    """
    await use_cases.count_units.run(ctx, tx, event, referral_id=_about(event), followed=followed)
    referral = _open(followed, event) if event.is_first else None
    if referral is None:
        return
    named = f"{event.type}/{event.status}"
    if rules.steps.following(referral.state, named) is None:
        reason = Reason.of("corrected-too-late", when=event.starts_at)
        use_cases.follow.note(ctx, referral, reason=reason, followed=followed)
        return
    turn, reasons = CORRECTED[event.status](event)
    because = [Reason.of("status-corrected"), *reasons]
    use_cases.follow.step(ctx, referral, event=named, reason=because, turn=turn, followed=followed)
    _note_first_seen(referral, event)


def _note_first_seen(referral: Referral, event: AppointmentEvent) -> None:
    """Keep when the first visit began that took place; one that was recorded by mistake did not."""
    referral.first_seen_at = event.starts_at if referral.state == State.ASSESSED else None


async def on_guarantee(ctx: Context, tx: Transaction, event: GuaranteeEvent, followed: Followed) -> None:
    """Note what became of the guarantee."""
    referral = _open(followed, event)
    if referral is not None:
        use_cases.follow.note(ctx, referral, reason=GUARANTEE[event.type], followed=followed)


async def on_forecast_lifted(
    ctx: Context, tx: Transaction, event: GuaranteeForecastLifted, followed: Followed
) -> None:
    """Take back that the guarantee was foreseen to break."""
    referral = _open(followed, event)
    if referral is not None:
        use_cases.follow.take_back_note(ctx, referral, code="guarantee-forecast-breach", followed=followed)


async def on_promised(ctx: Context, tx: Transaction, event: GuaranteePromised, followed: Followed) -> None:
    """Say by when the first visit will be, whose day follows."""
    referral = _open(followed, event)
    if referral is not None:
        reason = [Reason.of("guarantee-promised", day=referral.due_on)]
        use_cases.follow.step(
            ctx, referral, event=event.type, reason=reason, turn=Turn.CLINIC, followed=followed
        )


async def on_series(ctx: Context, tx: Transaction, event: SeriesEvent, followed: Followed) -> None:
    """Note what became of the series of sessions."""
    referral = _open(followed, event)
    if referral is not None:
        more = event.reasons if isinstance(event, SeriesNotBooked) else []
        reason = [SERIES[event.type], *more]
        use_cases.follow.note_sessions(ctx, referral, reason=reason, followed=followed)


async def on_plan_activated(ctx: Context, tx: Transaction, event: PlanActivated, followed: Followed) -> None:
    """Follow the care plan: the patient is in the programme."""
    referral = _open(followed, event)
    if referral is not None:
        reason, turn = [Reason.of("plan-active")], Turn.CLINIC
        referral.care_began_at = referral.care_began_at or event.time
        use_cases.follow.step(ctx, referral, event=event.type, reason=reason, turn=turn, followed=followed)


async def on_team(ctx: Context, _: Transaction, event: TeamEvent, followed: Followed) -> None:
    """Keep who is in the care team now; a team that ends with its referral keeps the members it had."""
    if not event.has_ended:
        use_cases.follow.team(followed, _about(event), members=event.staying, ctx=ctx)


async def on_patient_discharged(
    ctx: Context, tx: Transaction, event: PatientDischarged, followed: Followed
) -> None:
    """Write the report and close the loop."""
    referral = _open(followed, event)
    if referral is not None:
        observations = event.carried("Observation")
        await use_cases.follow.complete(
            ctx, tx, referral, plan=event.focus, observations=observations, at=event.time, followed=followed
        )


async def on_escalation_due(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Escalate an emergency that nobody acknowledged."""
    await use_cases.redirect.escalate(ctx, tx, timer.ref)


async def on_waiting_too_long(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Tell the coordinator of a referral that still waits."""
    await use_cases.waiting.tell(ctx, tx, timer.ref)


async def on_nightly_look(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Look for what nobody lets go on at a site."""
    await use_cases.nightly_look.run(ctx, tx, timer.ref, due=timer.due_at)


async def on_unattached_attachments(ctx: Context, tx: Transaction, _: Timer) -> None:
    """Remove what was uploaded and never named."""
    await use_cases.forget_attachments.run(ctx, tx)


async def on_start(ctx: Context, tx: Transaction) -> None:
    """Set the timers that stand from the first start on."""
    await use_cases.nightly_look.start(ctx, tx)
    await use_cases.forget_attachments.start(ctx, tx)


async def on_look_at_one(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Look again at one referral that the nightly look found."""
    await use_cases.nightly_look.look_at_one(ctx, tx, timer.ref)


async def on_urgent_triage_overdue(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Ask more people about an urgent referral that nobody has decided."""
    await use_cases.urgent_triage.escalate(ctx, tx, timer.ref)


async def on_consent_end_due(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Look again at who may see what, now that a Consent has run out."""
    await use_cases.follow_consent.run(ctx, tx, timer.ref)


def _cancelled(event: AppointmentEvent) -> list[Reason]:
    words = event.cancelled_because
    why = event.reasons or [as_written(words) if words else Reason.of("no-reason-given")]
    return [Reason.of("first-appointment-cancelled", when=event.starts_at), *why]


def _later_than_wished(ctx: Context, referral: Referral, event: AppointmentEvent) -> list[Reason]:
    """Say so where a visit comes after the day until which the sender wished it."""
    if event.starts_at is None or event.type not in ("appointment.booked", "appointment.moved"):
        return []
    wished = fhir.wish.not_after(referral.body)
    day = local_day(event.starts_at, site=referral.site, clinic=ctx.clinic)
    return [Reason.of("later-than-wished", day=wished)] if wished is not None and day > wished else []


def _arrived(event: AppointmentEvent) -> tuple[Turn, list[Reason]]:
    return Turn.CLINIC, [Reason.of("patient-arrived", when=event.starts_at)]


# What happened to the first appointment: whose turn it is, and what the Task says.
FIRST_APPOINTMENT: dict[str, Callable[[AppointmentEvent], tuple[Turn, list[Reason]]]] = {
    "appointment.booked": lambda event: (
        Turn.PATIENT,
        [Reason.of("first-appointment-booked", when=event.starts_at)],
    ),
    "appointment.moved": lambda event: (
        Turn.PATIENT,
        [Reason.of("first-appointment-moved", when=event.starts_at)],
    ),
    "appointment.cancelled": lambda event: (Turn.CLINIC, _cancelled(event)),
    "appointment.missed": lambda event: (
        Turn.CLINIC,
        [Reason.of("first-appointment-missed", when=event.starts_at)],
    ),
    "appointment.fulfilled": lambda event: (
        Turn.CLINIC,
        [Reason.of("first-appointment-fulfilled", when=event.starts_at)],
    ),
    "waitlist.joined": lambda _: (Turn.CLINIC, [Reason.of("waitlist-joined")]),
    "waitlist.left": lambda _: (Turn.CLINIC, [Reason.of("waitlist-left")]),
}
CORRECTED: dict[str, Callable[[AppointmentEvent], tuple[Turn, list[Reason]]]] = {
    "booked": FIRST_APPOINTMENT["appointment.booked"],
    "arrived": _arrived,
    "checked-in": _arrived,
    "noshow": FIRST_APPOINTMENT["appointment.missed"],
    "fulfilled": FIRST_APPOINTMENT["appointment.fulfilled"],
}
GUARANTEE = {
    "guarantee.at-risk": Reason.of("guarantee-at-risk"),
    "guarantee.forecast-breach": Reason.of("guarantee-forecast-breach"),
    "guarantee.breached": Reason.of("guarantee-breached"),
    "guarantee.second-breached": Reason.of("guarantee-second-breached"),
}
SERIES = {
    "series.booked": Reason.of("sessions-booked"),
    "series.not-booked": Reason.of("sessions-not-booked"),
    "series.suspended": Reason.of("sessions-suspended"),
    "series.completed": Reason.of("sessions-completed"),
}
HANDLERS: dict[str, Callable[[Context, Transaction, Any, Followed], Awaitable[None]]] = {
    **dict.fromkeys(FIRST_APPOINTMENT, on_first_appointment),
    "appointment.arrived": on_appointment_arrived,
    "appointment.checked-in": on_appointment_arrived,
    "appointment.corrected": on_appointment_corrected,
    **dict.fromkeys(GUARANTEE, on_guarantee),
    "guarantee.promised": on_promised,
    "guarantee.forecast-lifted": on_forecast_lifted,
    **dict.fromkeys(SERIES, on_series),
    "plan.activated": on_plan_activated,
    "careteam.formed": on_team,
    "careteam.changed": on_team,
    "patient.discharged": on_patient_discharged,
}


def _open(followed: Followed, event: DomainEvent) -> Referral | None:
    return use_cases.follow.open_referral(followed, _about(event), event=event.type)


def _about(event: DomainEvent) -> UUID | None:
    return None if event.referral_id is None else UUID(event.referral)
