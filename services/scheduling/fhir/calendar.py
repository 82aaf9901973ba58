"""The calendar of a site as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.scheduling.models.calendar_days import CalendarDay, CalendarVisit, SiteCalendar
from services.scheduling.models.rows import Appointment
from services.scheduling.models.spans import Span
from shared.clinic import Clinic, Person, Room
from shared.fhir.instants import to_the_second
from shared.fhir.people import listed
from shared.people import KnownPerson


def render(calendar: SiteCalendar, *, clinic: Clinic) -> dict[str, Any]:
    """Write the days of clinicians and rooms."""
    return {
        "people": [_person(person, days, clinic=clinic) for person, days in calendar.people],
        "rooms": [_room(room, days, clinic=clinic) for room, days in calendar.rooms],
    }


def _person(person: Person, days: Sequence[CalendarDay], *, clinic: Clinic) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": f"{person.given} {person.family}",
        "discipline": person.discipline,
        "days": [
            {
                **_day(day, clinic=clinic),
                "hours": _spans(day.hours),
                "absences": _spans(day.absences),
                "meetings": _spans(day.meetings),
            }
            for day in days
        ],
    }


def _room(room: Room, days: Sequence[CalendarDay], *, clinic: Clinic) -> dict[str, Any]:
    return {"id": room.id, "name": room.name, "days": [_day(day, clinic=clinic) for day in days]}


def _day(day: CalendarDay, *, clinic: Clinic) -> dict[str, Any]:
    return {
        "date": day.day.isoformat(),
        "appointments": [_appointment(visit, clinic=clinic) for visit in day.visits],
        "free": _spans(day.free),
    }


def of_the_desk(
    row: Appointment,
    person: KnownPerson | None,
    *,
    clinic: Clinic,
    actions: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Write a visit as the desk sees it: its version, and what may be recorded of it now."""
    return {**_visit(row, person, clinic=clinic), "version": row.version, "actions": actions}


def _appointment(visit: CalendarVisit, *, clinic: Clinic) -> dict[str, Any]:
    return _visit(visit.row, visit.person, clinic=clinic)


def _visit(row: Appointment, person: KnownPerson | None, *, clinic: Clinic) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "start": None if row.starts_at is None else to_the_second(row.starts_at),
        "end": None if row.ends_at is None else to_the_second(row.ends_at),
        "status": row.status,
        "kind": row.kind,
        "patient": listed(row.patient_id, person),
        "practitioner": named(clinic, "Practitioner", row.practitioner),
        "room": named(clinic, "Location", row.room),
        "programme": row.programme,
        "referral": str(row.referral_id),
    }


def named(clinic: Clinic, resource_type: str, id: str | None) -> Mapping[str, Any] | None:
    """Write a person or a room with its name, or its id where the clinic has it no more."""
    return None if id is None else {"id": id, "name": clinic.name_of(resource_type, id) or id}


def _spans(spans: Sequence[Span]) -> list[dict[str, str]]:
    return [{"start": to_the_second(span.start), "end": to_the_second(span.end)} for span in spans]
