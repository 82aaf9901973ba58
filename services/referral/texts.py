"""Every sentence of `referral` that people read about what scheduling and careteam did."""

from services.referral.states import Turn

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
