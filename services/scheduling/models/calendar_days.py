"""A day in the calendar of a clinician or a room."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.scheduling.models.rows import Appointment
from services.scheduling.models.spans import Span
from shared.clinic import Person, Room
from shared.people import KnownPerson


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarVisit:
    """An appointment of a calendar, and who the patient is."""

    row: Appointment
    person: KnownPerson | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDay:
    """What stands on a local day: hours, absences and meetings of a clinician, visits, and what is free."""

    day: date
    visits: Sequence[CalendarVisit]
    free: Sequence[Span]
    hours: Sequence[Span] = ()
    absences: Sequence[Span] = ()
    meetings: Sequence[Span] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteCalendar:
    """The days of the clinicians and of the rooms of a site; `rows` are all appointments in it."""

    people: Sequence[tuple[Person, Sequence[CalendarDay]]]
    rooms: Sequence[tuple[Room, Sequence[CalendarDay]]]
    rows: Sequence[Appointment]
