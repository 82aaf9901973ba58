"""What a visit needs: clinicians of its disciplines, a room of the kind, equipment, and the patient."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from services.scheduling.models.rows import Appointment
from services.scheduling.models.spans import Span
from services.scheduling.rules.calendar import (
    local_day_end,
    local_day_start,
    local_days,
    offered_spans,
    working_spans,
)
from services.scheduling.rules.intervals import clipped
from shared.clinic import Clinic, Course, Discipline, Person, Programme, Room, Site, Visit, VisitType
from shared.fhir.codes import FIRST_KINDS, AppointmentKind

_NONE = timedelta()


@dataclass(frozen=True, kw_only=True)
class Need:
    """What a visit needs, and whom it can be given: able people and rooms of the right kind, at one site.

    `people` can lead it. Of each group of `colleagues` one is there too, of each of `equipment` (ids by kind)
    one device is taken, and clinicians, room and equipment are taken `before` and `after` it. A visit that
    `has_room` False is held in none; one with `seats` is a group's. Hours that are kept for programmes are
    its where they name its `programme`. Whoever keeps a need works out each person's hours of a day once.
    """

    site: Site
    purpose: str
    length: timedelta
    discipline: Discipline
    people: tuple[Person, ...]
    rooms: tuple[Room, ...]
    has_room: bool = True
    colleagues: tuple[tuple[Person, ...], ...] = ()
    equipment: tuple[tuple[str, ...], ...] = ()
    seats: int | None = None
    before: timedelta = _NONE
    after: timedelta = _NONE
    today: date | None = None
    programme: str | None = None
    _days: dict[tuple[str, date], list[Span]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def resources(self) -> list[str]:
        """Everything that the visit could take but the patient."""
        people = [person_key(person.id) for person in self.people]
        others = [person_key(person.id) for group in self.colleagues for person in group]
        devices = [device_key(device) for group in self.equipment for device in group]
        return [*people, *others, *(room_key(room.id) for room in self.rooms), *devices]

    @property
    def has_buffers(self) -> bool:
        """Whether more is taken than the time of the visit."""
        return bool(self.before or self.after)

    def taken_by(self, visit: Span) -> Span:
        """Return what a visit at this time takes of everything but the patient."""
        return Span(visit.start - self.before, visit.end + self.after) if self.has_buffers else visit

    def works(self, person: Person, *, window: Span, days: Iterable[date] | None = None) -> list[Span]:
        """Return the times inside the window at which a person works for this.

        `days` are the local days of the window, for who asks for several people.
        """
        each = local_days(window, self.site.zone) if days is None else days
        return clipped([span for day in each for span in self._on(day, person)], window)

    def offers(self, person: Person, *, window: Span, days: Iterable[date] | None = None) -> list[Span]:
        """Return the times of `works` that are offered to new visits; what is booked needs `works` alone."""
        return offered_spans(person, self.works(person, window=window, days=days), zone=self.site.zone)

    def as_of(self, at: datetime) -> "Need":
        """Return the same need as of a day: hours for something else that are released by then are its
        too.
        """
        return replace(self, today=at.astimezone(self.site.zone).date(), _days={})

    def led_by(self, people: Collection[str]) -> "Need":
        """Return the same need, of which only these people can be the one who leads it."""
        return replace(self, people=tuple(person for person in self.people if person.id in people))

    def in_room(self, room_id: str) -> "Need":
        """Return the same need, which only this room meets."""
        return replace(self, rooms=tuple(room for room in self.rooms if room.id == room_id))

    def _on(self, day: date, person: Person) -> list[Span]:
        found = self._days.get((person.id, day))
        if found is None:
            whole = Span(local_day_start(day, self.site.zone), local_day_end(day, self.site.zone))
            found = working_spans(
                person,
                site=self.site,
                purpose=self.purpose,
                window=whole,
                today=self.today,
                programme=self.programme,
            )
            self._days[person.id, day] = found
        return found


def need_of(
    clinic: Clinic, *, site_id: str, visit: Visit, purpose: str, programme: str | None = None
) -> Need:
    """Return what a first visit or a session at a site needs, in this clinic, of this programme."""
    site = clinic.site(site_id)
    return Need(
        site=site,
        purpose=purpose,
        length=timedelta(minutes=visit.minutes),
        discipline=visit.discipline,
        people=_of_discipline(clinic, site_id, visit.discipline),
        rooms=tuple(room for room in site.rooms if room.kind == visit.room),
        programme=programme,
    )


def need_of_type(clinic: Clinic, *, site_id: str, visit: VisitType, programme: str | None = None) -> Need:
    """Return what a visit that a programme names needs at a site."""
    site = clinic.site(site_id)
    leads, *others = visit.disciplines
    return Need(
        site=site,
        purpose=visit.purpose,
        length=timedelta(minutes=visit.minutes),
        discipline=leads,
        people=_of_discipline(clinic, site_id, leads),
        rooms=tuple(
            room
            for room in site.rooms
            if room.kind == visit.room and (room.wheelchair or not visit.wheelchair)
        ),
        has_room=visit.room is not None,
        colleagues=tuple(_of_discipline(clinic, site_id, discipline) for discipline in others),
        equipment=tuple(
            tuple(device.id for device in site.equipment if device.kind == kind) for kind in visit.equipment
        ),
        seats=visit.seats,
        before=timedelta(minutes=visit.before),
        after=timedelta(minutes=visit.after),
        programme=programme,
    )


def own_visit(programme: Programme, kind: str, discipline: str | None = None) -> tuple[Visit, str]:
    """Return the first visit of a programme, or its session of a discipline, and which hours it takes.

    A session of which nobody said the discipline is of the only one, or the first, that gives any.
    """
    course = programme.course
    if kind == AppointmentKind.SESSION and course is not None:
        visits = [one for one in course.treatments.values() if discipline in (None, one.discipline)]
        return (visits or list(course.treatments.values()))[0], "session"
    return programme.first, "first"


def need_of_kind(
    clinic: Clinic, *, site_id: str, programme: Programme, kind: str, discipline: str | None = None
) -> Need:
    """Return what a first appointment or a session of a programme needs."""
    visit, purpose = own_visit(programme, kind, discipline)
    return need_of(clinic, site_id=site_id, visit=visit, purpose=purpose, programme=programme.id)


def need_of_row(clinic: Clinic, row: Appointment, *, at: datetime) -> Need | None:
    """Return what an appointment needs now; None where its programme, or the visit in it, is gone."""
    programme = clinic.known_programme(row.programme)
    if programme is None:
        return None
    if row.visit_type is None:
        return need_of_kind(
            clinic, site_id=row.site, programme=programme, kind=row.kind, discipline=row.discipline
        ).as_of(at)
    visit = programme.visit_type(row.visit_type)
    if visit is None:
        return None
    return need_of_type(clinic, site_id=row.site, visit=visit, programme=programme.id).as_of(at)


def only_discipline(course: Course | None) -> str | None:
    """Return whose a session is that does not say it: that of the first treatment of the course."""
    return None if course is None else next((one.value for one in course.treatments), None)


def discipline_of(clinic: Clinic, row: Appointment) -> str:
    """Return the discipline that gives a session; empty where its programme has none any more."""
    programme = clinic.known_programme(row.programme)
    return row.discipline or only_discipline(programme.course if programme else None) or ""


def purpose_of(kind: str) -> str:
    """Return which hours a visit of a kind takes: those for first visits, or those for sessions."""
    return "first" if kind in FIRST_KINDS else "session"


def _of_discipline(clinic: Clinic, site_id: str, discipline: Discipline) -> tuple[Person, ...]:
    return tuple(
        person for person in clinic.people if person.site == site_id and person.discipline == discipline
    )


def resources_of(
    *,
    practitioner: str,
    colleagues: Sequence[str],
    room: str | None,
    equipment: Sequence[str],
    is_overbooked: bool = False,
) -> tuple[str, ...]:
    """Name what a visit takes beside its patient; one that is overbooked has its clinician's second lane."""
    lead = second_key(practitioner) if is_overbooked else person_key(practitioner)
    people = (lead, *map(person_key, colleagues))
    return (*people, *(() if room is None else (room_key(room),)), *map(device_key, equipment))


def person_key(person_id: str) -> str:
    """Return the name of a clinician as a resource."""
    return f"person/{person_id}"


def second_key(person_id: str) -> str:
    """Return the name of a clinician's second lane: one visit more at a time, where that is allowed."""
    return f"person/{person_id}/second"


def room_key(room_id: str) -> str:
    """Return the name of a room as a resource."""
    return f"room/{room_id}"


def device_key(device_id: str) -> str:
    """Return the name of a device as a resource."""
    return f"device/{device_id}"


def patient_key(patient_id: str) -> str:
    """Return the name of a patient as a resource: nobody is in two places at once."""
    return f"patient/{patient_id}"
