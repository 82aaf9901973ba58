"""Events that `scheduling` publishes: appointments, the waitlist, session series, the four-week guarantee.

Every Appointment says `serviceType` = the programme, `appointmentType` = first or session
(`shared.fhir.codes.AppointmentKind`), `basedOn` = the referral, and its participants with the patient first.
Those of a first appointment carry the guarantee's Task (code `guarantee`): focus = the ServiceRequest,
restriction.period.end = the due date, businessStatus = on-track, at-risk, breached, met or ended.
"""

from shared.events.catalog.types import EventType
from shared.events.topics import SCHEDULING


def _event(name: str, focus: str, emitted: str, *carries: str) -> EventType:
    return EventType(name=name, topic=SCHEDULING, focus=focus, carries=carries, emitted=emitted)


APPOINTMENT_BOOKED = _event(
    "appointment.booked", "Appointment", "A first appointment was booked, or booked again.", "Task"
)
APPOINTMENT_MOVED = _event("appointment.moved", "Appointment", "An appointment got a new time.", "Task")
APPOINTMENT_CANCELLED = _event(
    "appointment.cancelled",
    "Appointment",
    "An appointment was cancelled; cancelationReason says why.",
    "Task",
)
APPOINTMENT_ARRIVED = _event("appointment.arrived", "Appointment", "The patient arrived.", "Task")
APPOINTMENT_FULFILLED = _event("appointment.fulfilled", "Appointment", "The appointment took place.", "Task")
APPOINTMENT_MISSED = _event("appointment.missed", "Appointment", "The patient did not come.", "Task")
WAITLIST_JOINED = _event(
    "waitlist.joined", "Appointment", "No fitting time was free; the Appointment is `waitlist`.", "Task"
)
WAITLIST_LEFT = _event(
    "waitlist.left", "Appointment", "The patient left the waitlist: booked, or the referral ended.", "Task"
)
SERIES_BOOKED = _event(
    "series.booked", "List", "A whole series of sessions was booked; the List names each.", "Appointment"
)
SERIES_NOT_BOOKED = _event(
    "series.not-booked",
    "List",
    "No whole series fits the grant; the List's note says which session failed and why.",
)
SERIES_SUSPENDED = _event(
    "series.suspended",
    "List",
    "The grant fell away: the sessions not yet held were cancelled.",
    "Appointment",
)
SERIES_COMPLETED = _event("series.completed", "List", "The last session of the series took place.")
GUARANTEE_AT_RISK = _event(
    "guarantee.at-risk", "Task", "Unbooked near the due date, or no time before it fits."
)
GUARANTEE_BREACHED = _event(
    "guarantee.breached", "Task", "The due date passed without a first appointment held."
)
GUARANTEE_MET = _event("guarantee.met", "Task", "The first appointment took place inside the promise.")

EVENTS = (
    APPOINTMENT_BOOKED,
    APPOINTMENT_MOVED,
    APPOINTMENT_CANCELLED,
    APPOINTMENT_ARRIVED,
    APPOINTMENT_FULFILLED,
    APPOINTMENT_MISSED,
    WAITLIST_JOINED,
    WAITLIST_LEFT,
    SERIES_BOOKED,
    SERIES_NOT_BOOKED,
    SERIES_SUSPENDED,
    SERIES_COMPLETED,
    GUARANTEE_AT_RISK,
    GUARANTEE_BREACHED,
    GUARANTEE_MET,
)
