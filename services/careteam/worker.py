"""The worker of careteam: what it hears, what it does when something is due, and its calendar at the
start.
"""

from services.careteam import handlers
from services.careteam.use_cases import actions, meetings, reviews
from shared.events import topics
from shared.events.inbox.handling import BatchHandler
from shared.events.worker import Worker
from shared.runtime import Runtime


def create_worker(runtime: Runtime) -> Worker:
    """Put the worker together."""
    return Worker(
        runtime,
        topics=(topics.REFERRAL, topics.SCHEDULING),
        handlers={
            "appointment.booked": BatchHandler(handlers.on_appointments_booked),
            "appointment.fulfilled": handlers.on_appointment_fulfilled,
            "referral.revoked": handlers.on_referral_revoked,
            "referral.closed": handlers.on_referral_closed,
            "referral.merged": handlers.on_referral_merged,
        },
        timers={
            meetings.CALENDAR: handlers.on_calendar_due,
            meetings.PUBLISH_AGENDA: handlers.on_agenda_due,
            meetings.MEETING_OVER: handlers.on_meeting_over,
            reviews.REVIEW: handlers.on_review_due,
            actions.OVERDUE: handlers.on_action_overdue,
        },
        on_start=handlers.on_start,
    )
