"""What a patient is told of, and when they are reminded.

A single session of a series that was booked as a whole is told with the series; what befell it later is told
by itself. Where no channel is permitted nothing is written: a coordinator telephones.
"""

from datetime import date, datetime, time, timedelta, tzinfo

from services.notifications.models.rows import KnownPatient, KnownVisit, PatientChoice
from services.notifications.rules.audiences import Message
from services.notifications.rules.reaching import ways
from services.notifications.states import Audience, Channel
from shared.clinic import Site
from shared.fhir.codes import FIRST_KINDS, AppointmentKind

# Of another clinician or room a patient is told where it is another clinician.
REASSIGNED = "appointment.reassigned"
# Events of which a patient is told by a message.
_OFFERS = frozenset({"offer.made", "offer.ended"})
TOLD = _OFFERS | {
    *("appointment.booked", "appointment.moved", REASSIGNED, "appointment.cancelled", "series.booked")
}
_CALLED = frozenset({"appointment.cancelled", REASSIGNED})
# A message that is about no single visit opens by its link for so long.
LINK_DAYS = timedelta(days=28)
TRIES = 5
# Reminders go at this hour of the site's morning.
_MORNING = time(9)
_FROM_HOME = (AppointmentKind.TELEHEALTH,)
_TO_A_VISIT = ("card", "clothing", "early")
_TO_A_FIRST_VISIT = ("records", "imaging", "medicines", "card", "insurance", "clothing", "companion", "early")
DEFAULT_DAYS = (7, 1)


def told(event_type: str, patient: KnownPatient | None, *, today: date) -> list[Message]:
    """Name the message that an event is worth to its patient; none where no channel is permitted.

    Of a patient of whom nothing was said no channel is known, and so none is permitted.
    """
    if event_type not in TOLD or patient is None:
        return []
    return message_to(patient, today=today)


def call_to(patient_id: str) -> Message:
    """Name the call to a patient whom no message reaches."""
    return Message(audience=Audience.PATIENT, recipient=f"Patient/{patient_id}", channel=Channel.TELEPHONE)


def is_called(event_type: str, *, is_first: bool, is_by_a_person: bool, is_by_the_patient: bool) -> bool:
    """Tell whether somebody must telephone a patient whom no message reaches.

    Who books or moves a visit by hand speaks with the patient; of a first visit that is booked `scheduling`
    asks by itself, and so it does of a time that is offered.
    """
    if event_type in _CALLED:
        return not is_by_the_patient
    if is_by_a_person or event_type not in TOLD - _OFFERS:
        return False
    return not (is_first and event_type == "appointment.booked")


def message_to(patient: KnownPatient, *, today: date) -> list[Message]:
    """Name one message to a patient, by the first way that is permitted."""
    way = next(ways(patient, today=today), None)
    recipient = f"Patient/{patient.id}"
    return (
        [] if way is None else [Message(audience=Audience.PATIENT, recipient=recipient, channel=way.channel)]
    )


def days_of(choice: PatientChoice | None) -> tuple[int, ...]:
    """Give how many days before a visit a patient wants to be reminded."""
    return DEFAULT_DAYS if choice is None else tuple(choice.reminder_days)


def mornings(visit: KnownVisit, zone: tzinfo, *, now: datetime) -> list[datetime]:
    """List the mornings that are still to come on which a patient may be reminded of a visit."""
    day = visit.starts_at.astimezone(zone).date()
    found = [datetime.combine(day - timedelta(days=ahead), _MORNING, zone) for ahead in DEFAULT_DAYS]
    return [morning for morning in found if now < morning]


def day_ahead(morning: str, days: int, site: Site) -> tuple[datetime, datetime]:
    """Give the bounds of the site's day that lies so many days after a morning, written as a date."""
    day = date.fromisoformat(morning) + timedelta(days=days)
    following = day + timedelta(days=1)
    return (
        datetime.combine(day, time(), site.zone),
        datetime.combine(following, time(), site.zone),
    )


def reminder_id(visit: KnownVisit, *, days: int) -> str:
    """Name a reminder: one for each visit, time that it has, and number of days before."""
    return f"reminder/{visit.id}/{visit.sequence}/{days}"


def bring(visit: KnownVisit | None) -> tuple[str, ...]:
    """Name what a patient brings to a visit and does before it, as codes; by video nothing is carried."""
    if visit is None or visit.kind in _FROM_HOME:
        return ()
    return _TO_A_FIRST_VISIT if visit.kind in FIRST_KINDS else _TO_A_VISIT
