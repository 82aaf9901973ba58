"""What a visit needs: a clinician of the discipline, a room of the kind, and the patient."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from services.scheduling.models.spans import Span
from services.scheduling.rules.calendar import local_day_end, local_day_start, local_days, working_spans
from services.scheduling.rules.intervals import clipped
from shared.clinic import Clinic, Discipline, Person, Programme, Room, Site, Visit
from shared.fhir.codes import AppointmentKind


@dataclass(frozen=True, kw_only=True)
class Need:
    """What a visit needs, and whom it can be given: able people and rooms of the right kind, at one site.

    Whoever keeps a need works out each person's hours of a day only once.
    """

    site: Site
    purpose: str
    length: timedelta
    discipline: Discipline
    people: tuple[Person, ...]
    rooms: tuple[Room, ...]
    _days: dict[tuple[str, date], list[Span]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def resources(self) -> list[str]:
        """Every clinician and room that the visit could take."""
        people = [person_key(person.id) for person in self.people]
        return [*people, *(room_key(room.id) for room in self.rooms)]

    def works(self, person: Person, *, window: Span, days: Iterable[date] | None = None) -> list[Span]:
        """Return the times inside the window at which a person works for this.

        `days` are the local days of the window, for who asks for several people.
        """
        each = local_days(window, self.site.zone) if days is None else days
        return clipped([span for day in each for span in self._on(day, person)], window)

    def _on(self, day: date, person: Person) -> list[Span]:
        found = self._days.get((person.id, day))
        if found is None:
            whole = Span(local_day_start(day, self.site.zone), local_day_end(day, self.site.zone))
            found = working_spans(person, site=self.site, purpose=self.purpose, window=whole)
            self._days[person.id, day] = found
        return found


def need_of(clinic: Clinic, *, site_id: str, visit: Visit, purpose: str) -> Need:
    """Return what a visit at a site needs, in this clinic."""
    site = clinic.site(site_id)
    return Need(
        site=site,
        purpose=purpose,
        length=timedelta(minutes=visit.minutes),
        discipline=visit.discipline,
        people=tuple(
            person
            for person in clinic.people
            if person.site == site_id and person.discipline == visit.discipline
        ),
        rooms=tuple(room for room in site.rooms if room.kind == visit.room),
    )


def need_of_kind(clinic: Clinic, *, site_id: str, programme: Programme, kind: str) -> Need:
    """Return what a first appointment or a session of a programme needs."""
    if kind == AppointmentKind.SESSION and programme.sessions is not None:
        return need_of(clinic, site_id=site_id, visit=programme.sessions, purpose="session")
    return need_of(clinic, site_id=site_id, visit=programme.first, purpose="first")


def person_key(person_id: str) -> str:
    """Return the name of a clinician as a resource."""
    return f"person/{person_id}"


def room_key(room_id: str) -> str:
    """Return the name of a room as a resource."""
    return f"room/{room_id}"


def patient_key(patient_id: str) -> str:
    """Return the name of a patient as a resource: nobody is in two places at once."""
    return f"patient/{patient_id}"
