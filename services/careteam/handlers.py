"""What careteam does when another service says that something happened.

Events of the same patient come in order from one service and in no order between two. Nothing here has to
wait for another event: a referral's end is remembered where there is no team yet, so that a booking which is
heard later is ignored, by this rule.
"""

from uuid import UUID

from services.careteam import fhir, use_cases
from services.careteam.settings import Settings
from shared.act import Act
from shared.db import Transaction
from shared.events.envelope import Event
from shared.events.inbox.handling import EventBatch
from shared.timers import Timer


async def on_appointments_booked(tx: Transaction, run: EventBatch, *, settings: Settings) -> None:
    """Form the teams, or bring in who will see a patient instead."""
    visits = [fhir.booked.visit(one.event.focus) for one in run]
    forming = await use_cases.form_team.begin_forming(
        tx, [visit for visit in visits if visit.first], settings=settings
    )
    for one, visit in zip(run, visits, strict=True):
        if visit.first:
            with one.span():
                await use_cases.form_team.form_one(tx, visit, forming=forming, settings=settings, act=one.act)
    await use_cases.form_team.end_forming(tx, forming)


async def on_appointment_fulfilled(tx: Transaction, event: Event, act: Act, *, settings: Settings) -> None:
    """Open the draft plan after the first visit.

    A visit says all that a booking says, so one whose booking was never heard forms the team too.
    """
    visit = fhir.booked.visit(event.focus)
    if not visit.first:
        return
    team = await use_cases.form_team.form_team(tx, visit, settings=settings, act=act)
    if team is not None:
        await use_cases.plans.draft_plan(tx, team, seen_by=visit.practitioner, settings=settings, act=act)


async def on_referral_revoked(tx: Transaction, event: Event, act: Act, *, settings: Settings) -> None:
    """End the team, because the sender revoked the referral."""
    await _end(tx, event, act, reason="the referral was revoked", settings=settings)


async def on_referral_closed(tx: Transaction, event: Event, act: Act, *, settings: Settings) -> None:
    """End the team, because a coordinator closed the referral."""
    await _end(tx, event, act, reason="the referral was closed", settings=settings)


async def on_referral_merged(tx: Transaction, event: Event, act: Act, *, settings: Settings) -> None:
    """End the team of a duplicate, because it was merged into the first referral."""
    await _end(tx, event, act, reason="the referral was merged into another", settings=settings)


async def _end(tx: Transaction, event: Event, act: Act, *, reason: str, settings: Settings) -> None:
    referral_id = str(event.focus["id"])
    await use_cases.end_care.end_referral(tx, referral_id, reason=reason, settings=settings, act=act)


async def on_calendar_due(tx: Transaction, timer: Timer, act: Act, *, settings: Settings) -> None:
    """Put a site's next case meeting on the calendar."""
    await use_cases.meetings.schedule_next_meeting(tx, timer.ref, settings=settings, act=act)


async def on_agenda_due(tx: Transaction, timer: Timer, act: Act, *, settings: Settings) -> None:
    """Publish the agenda of a meeting."""
    await use_cases.meetings.publish_agenda(tx, UUID(timer.ref), settings=settings, act=act)


async def on_meeting_over(tx: Transaction, timer: Timer, act: Act, *, settings: Settings) -> None:
    """End a meeting that nobody ended."""
    await use_cases.meetings.meeting_is_over(
        tx, UUID(timer.ref), due_at=timer.due_at, settings=settings, act=act
    )


async def on_review_due(tx: Transaction, timer: Timer, act: Act, *, settings: Settings) -> None:
    """Review the outcomes of a plan at one of its review weeks."""
    plan_id, _, week = timer.ref.partition("/")
    await use_cases.reviews.review_progress(tx, UUID(plan_id), week=int(week), settings=settings, act=act)


async def on_action_overdue(tx: Transaction, timer: Timer, act: Act, *, settings: Settings) -> None:
    """Put the case of an overdue action on the next agenda."""
    await use_cases.actions.action_is_overdue(tx, UUID(timer.ref), settings=settings, act=act)


async def on_start(tx: Transaction, act: Act, *, settings: Settings) -> None:
    """Start the calendar of the case meetings."""
    await use_cases.meetings.start_calendar(tx, settings=settings, act=act)
