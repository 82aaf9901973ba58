"""By which channel a patient is reached, in which language, and whether a message still says what stands.

Invariants:
- Nothing goes by a channel that the patient has not permitted: where nothing is recorded, nothing is.
- Who cannot prove by a whole birth date who they are gets no link, and so no message.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from services.notifications.models.rows import KnownOffer, KnownPatient, KnownVisit, Notification
from services.notifications.rules import patient_mail
from services.notifications.states import BOOKED, CANCELLED, Channel
from shared.fhir.codes import ContactChannel
from shared.people import ContactPoint
from shared.reasons import Reason

NOT_PERMITTED = Reason.of("channel-not-permitted")
SUPERSEDED = Reason.of("superseded")
LANGUAGES = tuple(patient_mail.WORDS)
_WHOLE_DATE = len("2026-03-10")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How a message reaches a patient: a channel and the address there."""

    channel: Channel
    address: str


def ways(patient: KnownPatient, *, today: date) -> Iterator[Reach]:
    """Name the ways to a patient that are permitted on this day, in the order of trying."""
    if len(patient.person.birth_date or "") != _WHOLE_DATE:
        return
    permitted = _permitted(patient)
    for point in patient.contact_points:
        channel = _channel(point)
        if channel in permitted and _is_current(point, today=today):
            yield Reach(channel=channel, address=point.value)


def language_of(patient: KnownPatient) -> str:
    """Give the language in which a patient is written to: their own where there are words in it."""
    stated = (patient.person.language or "").lower()
    return next((code for code in LANGUAGES if stated[:2] == code), LANGUAGES[0])


def why_not(
    message: Notification,
    patient: KnownPatient | None,
    visit: KnownVisit | None,
    *,
    offer: KnownOffer | None = None,
    was_offered: bool = False,
    now: datetime,
) -> Reason | None:
    """Say why a message to a patient must not go out any more; None where it may.

    One about a visit goes only while it is true: another time and an end have messages of their own. An offer
    goes while it stands, and its end to whom it was offered.
    """
    if patient is None or Channel(message.channel) not in _permitted(patient):
        return NOT_PERMITTED
    if message.offer_id is not None:
        stands = offer is not None and offer.can_be_taken(now)
        goes = stands if message.event_type == "offer.made" else was_offered
        return None if goes else SUPERSEDED
    if message.visit_id is None:
        return None
    told = CANCELLED if message.event_type == "appointment.cancelled" else BOOKED
    if visit is None or (visit.status, visit.starts_at) != (told, message.visit_starts_at):
        return SUPERSEDED
    return None


def proves(patient: KnownPatient, birth_date: str) -> bool:
    """Tell whether this is the whole birth date of the patient."""
    known = patient.person.birth_date or ""
    return len(known) == _WHOLE_DATE and birth_date == known


def _permitted(patient: KnownPatient) -> frozenset[Channel]:
    newest = {one.channel: one.permitted for one in sorted(patient.channel_consents, key=lambda it: it.date)}
    channels = {ContactChannel.EMAIL: Channel.EMAIL, ContactChannel.SMS: Channel.SMS}
    return frozenset(channel for said, channel in channels.items() if newest.get(said, False))


def _channel(point: ContactPoint) -> Channel | None:
    """Say by which channel an address is reached: a text goes to a mobile telephone, or what is for texts."""
    if point.system == "email":
        return Channel.EMAIL
    is_mobile = point.system == "phone" and point.use == "mobile"
    return Channel.SMS if point.system == "sms" or is_mobile else None


def _is_current(point: ContactPoint, *, today: date) -> bool:
    day = today.isoformat()
    return (point.start or "")[:10] <= day and (not point.end or day <= point.end[:10].ljust(10, "~"))
