"""Every sentence of `referral` that people read."""

from collections.abc import Mapping

from services.referral.states import Turn

# Reasons by their codes; `{name}` stands for an argument.
REASONS: Mapping[str, str] = {
    # Why an act is not possible now.
    "acknowledge-first": "the patient was sent to an emergency department: $acknowledge comes first",
    "claim-decided": "the Claim is {status}: a new decision needs a new Claim",
    "kept-by-commands": "this Task is kept by the referral's own commands",
    "merge-or-accept-first": "the referral still waits for the decision: $merge or $accept",
    "no-emergency": "no emergency waits for an acknowledgement: the referral is {state}",
    "no-task-step": "a Task that is {now} may become {allowed}, not {to}",
    "not-in-this-state": "{act} is not possible: the referral is {state}",
    "referral-ended": "the referral is {state}",
    "review-first": ("the referral still waits for the decision: $accept, $decline or $request-information"),
    "task-ended": "a Task that is {now} may become nothing, not {to}",
}

# What happened to the first appointment, by event type: whose turn it is, and what the Task says.
FIRST_APPOINTMENT: dict[str, tuple[Turn, str]] = {
    "appointment.booked": (Turn.PATIENT, "The first appointment is booked for {when}."),
    "appointment.moved": (Turn.PATIENT, "The first appointment was moved to {when}."),
    "appointment.cancelled": (Turn.CLINIC, "The first appointment of {when} was cancelled: {why}."),
    "appointment.missed": (Turn.CLINIC, "The patient missed the first appointment of {when}."),
    "appointment.fulfilled": (Turn.CLINIC, "The first appointment took place on {when}."),
    "waitlist.joined": (Turn.CLINIC, "No fitting time is free; the patient is on the waitlist."),
    "waitlist.left": (Turn.CLINIC, "The patient left the waitlist."),
}
ARRIVED = "The patient arrived for the appointment of {when}."
GUARANTEE: dict[str, str] = {
    "guarantee.at-risk": "The promised time for the first appointment is at risk; the clinic is on it.",
    "guarantee.breached": "The promised time for the first appointment has passed; the clinic is on it.",
}
SERIES: dict[str, str] = {
    "series.booked": "The sessions are booked.",
    "series.not-booked": "The sessions could not be booked.",
    "series.suspended": "The sessions not yet held were cancelled.",
    "series.completed": "The sessions have been held.",
}
PLAN_ACTIVE = "The care plan is active."
