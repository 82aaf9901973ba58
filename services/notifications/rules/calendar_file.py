"""A patient's visits as an iCalendar file (RFC 5545, 5546): when, and no word of what, where or with whom.

Invariants:
- One UID for each visit, whatever becomes of it; its SEQUENCE rises with each other time and with its end.
- Times stand in the site's zone, with the zone's rules in the file.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo

from icalendar import Calendar, Event, vCalAddress
from icalendar.enums import STATUS

from services.notifications.models.rows import KnownVisit
from services.notifications.rules import patient_mail
from services.notifications.states import CANCELLED

# The rules of a zone stand in the file for so long before and after its visits.
_AROUND = timedelta(days=366)


def of_visit(
    visit: KnownVisit, *, zone: tzinfo, at: datetime, language: str, host: str, organizer: str, attendee: str
) -> bytes:
    """Write a visit for the calendar of its patient: REQUEST while it stands, CANCEL once it does not.

    `organizer` and `attendee` are addresses with their scheme (`mailto:`, `tel:`), `at` is when it is said.
    """
    stands = visit.status != CANCELLED
    event = _event(visit, zone=zone, at=at, language=language, host=host)
    event.status = STATUS.CONFIRMED if stands else STATUS.CANCELLED
    event.add("organizer", vCalAddress(organizer))
    event.add("attendee", vCalAddress(attendee))
    return _file([event], method="REQUEST" if stands else "CANCEL", days=[visit.starts_at.date()])


def of_visits(visits: Sequence[KnownVisit], *, zone: tzinfo, at: datetime, language: str, host: str) -> bytes:
    """Write several visits, as they stand now (PUBLISH): an invitation can be to one alone."""
    events = [_event(visit, zone=zone, at=at, language=language, host=host) for visit in visits]
    return _file(events, method="PUBLISH", days=[visit.starts_at.date() for visit in visits])


def _event(visit: KnownVisit, *, zone: tzinfo, at: datetime, language: str, host: str) -> Event:
    event: Event = Event.new(
        uid=f"{visit.id}@{host}",
        summary=patient_mail.WORDS[language]["appointment"],
        start=visit.starts_at.astimezone(zone),
        end=visit.ends_at.astimezone(zone),
        stamp=at,
    )
    event.sequence = visit.sequence
    return event


def _file(events: Sequence[Event], *, method: str, days: Sequence[date]) -> bytes:
    calendar = Calendar.new(prodid="-//Lumbar//notifications//EN", method=method, subcomponents=list(events))
    # The file is no calendar of its own to which a program could subscribe.
    calendar.pop("UID")
    if days:
        calendar.add_missing_timezones(first_date=min(days) - _AROUND, last_date=max(days) + _AROUND)
    written: bytes = calendar.to_ical()
    return written
