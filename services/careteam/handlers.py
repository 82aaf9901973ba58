"""What careteam does when another service says that something happened.

Events of the same patient come in order from one service and in no order between two. Nothing here has to
wait for another event: a referral's end is remembered where there is no team yet, so that a booking which
arrives later is ignored, by this rule.
"""

from typing import cast
from uuid import UUID

from services.careteam import use_cases
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.notifications import IntakeAnswered
from shared.events.catalog.referral import PatientChanged, ReferralEvent
from shared.events.catalog.scheduling import (
    AppointmentBooked,
    AppointmentCorrected,
    AppointmentEvent,
    AppointmentFulfilled,
)
from shared.events.inbox.handling import EventBatch
from shared.reasons import Reason
from shared.timers import Timer

ENDS = {
    "referral.revoked": Reason.of("referral-revoked"),
    "referral.closed": Reason.of("referral-closed"),
}


async def on_appointments_booked(ctx: Context, tx: Transaction, batch: EventBatch) -> None:
    """Form the teams, or bring in who will see a patient instead."""
    visits = [cast(AppointmentBooked, received.event) for received in batch]
    forming = await use_cases.form_team.load(ctx, tx, [visit for visit in visits if visit.is_first])
    for received, visit in zip(batch, visits, strict=True):
        if visit.is_first:
            with received.span():
                await use_cases.form_team.decide(received.ctx, tx, visit, forming=forming)
    await use_cases.form_team.save(tx, forming)


async def on_appointment_fulfilled(ctx: Context, tx: Transaction, event: AppointmentFulfilled) -> None:
    """Open the draft plan after the first visit.

    A visit says all that a booking says, so one whose booking never arrived forms the team too.
    """
    if event.is_first:
        await _seen(ctx, tx, event)


async def on_appointment_corrected(ctx: Context, tx: Transaction, event: AppointmentCorrected) -> None:
    """Open the draft plan after a first visit that took place after all, and take it back after one that
    did not; the team stays, since the visit that follows needs it.
    """
    if event.is_first and event.status == "fulfilled":
        await _seen(ctx, tx, event)
    elif event.is_first:
        await use_cases.take_back_plan.run(ctx, tx, event.referral)


async def _seen(ctx: Context, tx: Transaction, event: AppointmentEvent) -> None:
    team = await use_cases.form_team.run(ctx, tx, event)
    if team is not None:
        await use_cases.draft_plan.run(ctx, tx, team, seen_by=event.practitioner)


async def on_referral_ended(ctx: Context, tx: Transaction, event: ReferralEvent) -> None:
    """End the team, because the referral was revoked or closed."""
    await use_cases.end_referral.run(ctx, tx, event.referral, because=ENDS[event.type])


async def on_patient_changed(ctx: Context, tx: Transaction, event: PatientChanged) -> None:
    """Remember who a patient is, and bring one who has died to the team."""
    await use_cases.follow_patient.run(ctx, tx, event)


async def on_intake_answered(ctx: Context, tx: Transaction, event: IntakeAnswered) -> None:
    """Keep what a patient wrote before the first visit."""
    await use_cases.record_intake.run(ctx, tx, event)


async def on_calendar_due(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Put a site's next case meeting on the calendar."""
    await use_cases.schedule_meeting.run(ctx, tx, timer.ref)


async def on_agenda_due(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Publish the agenda of a meeting."""
    await use_cases.publish_agenda.run(ctx, tx, UUID(timer.ref))


async def on_meeting_over(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """End a meeting that nobody ended."""
    await use_cases.close_meeting.when_over(ctx, tx, UUID(timer.ref), due_at=timer.due_at)


async def on_review_due(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Review the outcomes of a plan at one of its review weeks."""
    plan_id, _, week = timer.ref.partition("/")
    await use_cases.review_progress.run(ctx, tx, UUID(plan_id), week=int(week))


async def on_action_overdue(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Put the case of an overdue action on the next agenda."""
    await use_cases.action_overdue.run(ctx, tx, UUID(timer.ref))
