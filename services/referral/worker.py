"""The process of this service that consumes events and fires timers."""

from functools import partial

from services.referral import handlers, use_cases
from services.referral.states import Turn
from shared.events.inbox.handling import BatchHandler, HandlerTable
from shared.events.topics import CARETEAM, SCHEDULING
from shared.events.worker import Worker
from shared.runtime import Runtime

_FIRST_APPOINTMENT = {
    "appointment.booked": (Turn.PATIENT, "The first appointment is booked for {when}."),
    "appointment.moved": (Turn.PATIENT, "The first appointment was moved to {when}."),
    "appointment.cancelled": (Turn.CLINIC, "The first appointment of {when} was cancelled: {why}."),
    "appointment.missed": (Turn.CLINIC, "The patient missed the first appointment of {when}."),
    "appointment.fulfilled": (Turn.CLINIC, "The first appointment took place on {when}."),
    "waitlist.joined": (Turn.CLINIC, "No fitting time is free; the patient is on the waitlist."),
    "waitlist.left": (Turn.CLINIC, "The patient left the waitlist."),
}
_GUARANTEE = {
    "guarantee.at-risk": "The promised time for the first appointment is at risk; the clinic is on it.",
    "guarantee.breached": "The promised time for the first appointment has passed; the clinic is on it.",
}
_SERIES = {
    "series.booked": "The sessions are booked.",
    "series.not-booked": "The sessions could not be booked.",
    "series.suspended": "The sessions not yet held were cancelled.",
    "series.completed": "The sessions have been held.",
}


def create_worker(runtime: Runtime) -> Worker:
    """Make the worker."""
    return Worker(
        runtime,
        topics=(SCHEDULING, CARETEAM),
        handlers=create_handlers(),
        timers={
            use_cases.ESCALATION: handlers.on_escalation_due,
            use_cases.CONSENT_END: handlers.on_consent_end_due,
        },
    )


def create_handlers() -> HandlerTable:
    """Make the table of what this service hears: every type is followed in one run with the others."""
    table: dict[str, handlers.Follow] = {
        name: partial(handlers.on_first_appointment, turn=turn, text=text)
        for name, (turn, text) in _FIRST_APPOINTMENT.items()
    }
    table |= {name: partial(handlers.on_guarantee, text=text) for name, text in _GUARANTEE.items()}
    table |= {name: partial(handlers.on_series, text=text) for name, text in _SERIES.items()}
    table |= {
        "careteam.formed": handlers.on_team,
        "careteam.changed": handlers.on_team,
        "appointment.arrived": handlers.on_appointment_arrived,
        "plan.activated": handlers.on_plan_activated,
        "patient.discharged": handlers.on_patient_discharged,
    }
    together = BatchHandler(partial(handlers.on_events, table=table))
    return dict.fromkeys(table, together)
