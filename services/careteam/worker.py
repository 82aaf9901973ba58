"""The worker of careteam: the events that it handles, the timers that it fires, and its calendar."""

from services.careteam import handlers, use_cases
from shared import directory, roster
from shared.events import topics
from shared.events.inbox.handling import BatchHandler
from shared.events.worker import Worker
from shared.runtime import Runtime


def create_worker(runtime: Runtime) -> Worker:
    """Make the worker."""
    return Worker(
        runtime,
        topics=(topics.REFERRAL, topics.SCHEDULING, topics.NOTIFICATIONS),
        handlers={
            "appointment.booked": BatchHandler(handlers.on_appointments_booked),
            "appointment.reassigned": BatchHandler(handlers.on_appointments_booked),
            "appointment.fulfilled": handlers.on_appointment_fulfilled,
            "appointment.corrected": handlers.on_appointment_corrected,
            "directory.changed": directory.copies.follow,
            "roster.changed": roster.copies.follow,
            "intake.answered": handlers.on_intake_answered,
            "patient.changed": handlers.on_patient_changed,
            **dict.fromkeys(handlers.ENDS, handlers.on_referral_ended),
        },
        timers={
            use_cases.schedule_meeting.CALENDAR: handlers.on_calendar_due,
            use_cases.schedule_meeting.PUBLISH_AGENDA: handlers.on_agenda_due,
            use_cases.schedule_meeting.MEETING_OVER: handlers.on_meeting_over,
            use_cases.review_progress.REVIEW: handlers.on_review_due,
            use_cases.action_overdue.OVERDUE: handlers.on_action_overdue,
        },
        on_start=use_cases.schedule_meeting.start_calendar,
    )
