"""What careteam does when another service says that something happened.

Events of the same patient come in order from one service and in no order between two. Nothing here has to
wait for another event: a referral's end is remembered where there is no team yet, so that a booking which is
heard later is ignored, by this rule.
"""

from uuid import UUID

from services.careteam import use_cases
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.referral import ReferralClosed, ReferralEvent, ReferralMerged, ReferralRevoked
from shared.events.catalog.scheduling import AppointmentBooked, AppointmentFulfilled
from shared.events.inbox.handling import EventBatch
from shared.timers import Timer


async def on_appointments_booked(ctx: Context, tx: Transaction, run: EventBatch) -> None:
    """Form the teams, or bring in who will see a patient instead."""
    visits = [one.event for one in run if isinstance(one.event, AppointmentBooked)]
    firsts = [visit for visit in visits if visit.is_first]
    forming = await use_cases.form_team.begin_forming(ctx, tx, firsts)
    for one, visit in zip(run, visits, strict=True):
        if visit.is_first:
            with one.span():
                await use_cases.form_team.form_one(one.ctx, tx, visit, forming=forming)
    await use_cases.form_team.end_forming(tx, forming)


async def on_appointment_fulfilled(ctx: Context, tx: Transaction, event: AppointmentFulfilled) -> None:
    """Open the draft plan after the first visit.

    A visit says all that a booking says, so one whose booking was never heard forms the team too.
    """
    if not event.is_first:
        return
    team = await use_cases.form_team.form_team(ctx, tx, event)
    if team is not None:
        await use_cases.plans.draft_plan(ctx, tx, team, seen_by=event.practitioner)


async def on_referral_revoked(ctx: Context, tx: Transaction, event: ReferralRevoked) -> None:
    """End the team, because the sender revoked the referral."""
    await _end(ctx, tx, event, reason="the referral was revoked")


async def on_referral_closed(ctx: Context, tx: Transaction, event: ReferralClosed) -> None:
    """End the team, because a coordinator closed the referral."""
    await _end(ctx, tx, event, reason="the referral was closed")


async def on_referral_merged(ctx: Context, tx: Transaction, event: ReferralMerged) -> None:
    """End the team of a duplicate, because it was merged into the first referral."""
    await _end(ctx, tx, event, reason="the referral was merged into another")


async def _end(ctx: Context, tx: Transaction, event: ReferralEvent, *, reason: str) -> None:
    await use_cases.end_care.end_referral(ctx, tx, event.referral, reason=reason)


async def on_calendar_due(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Put a site's next case meeting on the calendar."""
    await use_cases.meetings.schedule_next_meeting(ctx, tx, timer.ref)


async def on_agenda_due(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Publish the agenda of a meeting."""
    await use_cases.meetings.publish_agenda(ctx, tx, UUID(timer.ref))


async def on_meeting_over(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """End a meeting that nobody ended."""
    await use_cases.meetings.meeting_is_over(ctx, tx, UUID(timer.ref), due_at=timer.due_at)


async def on_review_due(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Review the outcomes of a plan at one of its review weeks."""
    plan_id, _, week = timer.ref.partition("/")
    await use_cases.reviews.review_progress(ctx, tx, UUID(plan_id), week=int(week))


async def on_action_overdue(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Put the case of an overdue action on the next agenda."""
    await use_cases.actions.action_is_overdue(ctx, tx, UUID(timer.ref))


async def on_start(ctx: Context, tx: Transaction) -> None:
    """Start the calendar of the case meetings."""
    await use_cases.meetings.start_calendar(ctx, tx)
