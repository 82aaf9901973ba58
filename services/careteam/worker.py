"""The worker of careteam: what it hears, what it does when something is due, and its calendar at the
start.
"""

from functools import partial

from services.careteam import handlers
from services.careteam.settings import Settings
from services.careteam.use_cases import actions, meetings, reviews
from shared.events import topics
from shared.events.inbox.handling import BatchHandler
from shared.events.worker import Worker
from shared.runtime import Runtime


def create_worker(runtime: Runtime) -> Worker:
    """Put the worker together."""
    settings = Settings.of(runtime)
    return Worker(
        runtime,
        topics=(topics.REFERRAL, topics.SCHEDULING),
        handlers={
            "appointment.booked": BatchHandler(partial(handlers.on_appointments_booked, settings=settings)),
            "appointment.fulfilled": partial(handlers.on_appointment_fulfilled, settings=settings),
            "referral.revoked": partial(handlers.on_referral_revoked, settings=settings),
            "referral.closed": partial(handlers.on_referral_closed, settings=settings),
            "referral.merged": partial(handlers.on_referral_merged, settings=settings),
        },
        timers={
            meetings.CALENDAR: partial(handlers.on_calendar_due, settings=settings),
            meetings.PUBLISH_AGENDA: partial(handlers.on_agenda_due, settings=settings),
            meetings.MEETING_OVER: partial(handlers.on_meeting_over, settings=settings),
            reviews.REVIEW: partial(handlers.on_review_due, settings=settings),
            actions.OVERDUE: partial(handlers.on_action_overdue, settings=settings),
        },
        on_start=partial(handlers.on_start, settings=settings),
    )
