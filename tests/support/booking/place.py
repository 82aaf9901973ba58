"""A small clinic with one site in Toronto, and its wall-clock times."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from shared.clinic import Clinic

TORONTO = "America/Toronto"
# A Monday in June, eight in the morning in Toronto.
MONDAY = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


BY_PRIORITY: Mapping[str, Any] = {
    "priorities": {
        "stat": {"working_days": 1, "at_risk_days": 0},
        "asap": {"days": 5, "at_risk_days": 1},
        "urgent": {"days": 10, "at_risk_days": 3},
        "routine": {"days": 28, "at_risk_days": 7},
    },
    "second_days": 56,
}


def a_clinic(
    *,
    people: Sequence[Mapping[str, Any]] = (),
    rooms: int = 2,
    closed: Sequence[date] = (),
    sessions: Mapping[str, Any] | None = None,
    payer_asks: bool = True,
    at_risk_days: int = 7,
    guarantee: Mapping[str, Any] | None = None,
    scheduling: Mapping[str, Any] | None = None,
    visits: Sequence[Mapping[str, Any]] = (),
    more_rooms: Sequence[Mapping[str, Any]] = (),
    equipment: Sequence[Mapping[str, Any]] = (),
    team: Sequence[str] = ("physiotherapy",),
    course: Mapping[str, Any] | None = None,
) -> Clinic:
    """Make a clinic with one site, the programme `rehab` (hour-long first visits) and the payer `insurer`.

    With a `course` (phases, treatments and what belongs to them) the programme has that instead of sessions.
    """
    treatment = {"minutes": 45, "discipline": "physiotherapy", "room": "treatment", "count": 4, "per_week": 2}
    return Clinic.model_validate(
        {
            "id": "clinic",
            "name": "Clinic",
            "email": "no-reply@clinic.example",
            **(
                {"promise": {"days": 28, "at_risk_days": at_risk_days}}
                if guarantee is None
                else {"guarantee": guarantee}
            ),
            "scheduling": dict(scheduling or {}),
            "emergency": {"acknowledge_within_minutes": 15, "escalate_every_minutes": 15},
            "duplicate_window_days": 90,
            "review_weeks": [4],
            "sites": [
                {
                    "id": "toronto",
                    "name": "Toronto",
                    "time_zone": TORONTO,
                    "closed": list(closed),
                    "rooms": [
                        {"id": f"{kind}-{number}", "name": kind, "kind": kind}
                        for kind in ("assessment", "treatment")
                        for number in range(1, rooms + 1)
                    ]
                    + list(more_rooms),
                    "equipment": list(equipment),
                    "meeting": {"weekday": "wed", "start": "12:00", "minutes": 60, "chair": "ana"},
                }
            ],
            "people": list(people) or [a_person("ana")],
            "programmes": [
                {
                    "id": "rehab",
                    "name": "Rehabilitation",
                    "streams": ["workplace", "self-pay"],
                    "eligibility": "adult",
                    "site": "toronto",
                    "first": {"minutes": 60, "discipline": "physiotherapy", "room": "assessment"},
                    **(course or {"sessions": treatment | dict(sessions or {})}),
                    "visits": list(visits),
                    "team": list(team),
                    "weeks": 26 if course else 8,
                }
            ],
            "payers": [
                {
                    "id": "insurer",
                    "name": "Insurer",
                    "stream": "workplace",
                    "identifiers": ["https://payers.example|insurer"],
                    "email": "claims@insurer.example",
                    "authorization_required": payer_asks,
                }
            ],
            "organizations": [{"id": "practice", "name": "Practice", "email": "doctor@practice.example"}],
            "clients": [
                {
                    "id": "coordinator",
                    "party": "coordinator",
                    "site": "toronto",
                    "email": "coordinator@clinic.example",
                    "scopes": ["user/Appointment.crus"],
                }
            ],
        }
    )


def a_person(
    person_id: str,
    *,
    days: Sequence[str] = ("mon", "tue", "wed", "thu", "fri"),
    start: str = "09:00",
    end: str = "17:00",
    purpose: Sequence[str] = ("first", "session"),
    absences: Sequence[tuple[date, date]] = (),
    discipline: str = "physiotherapy",
    languages: Sequence[str] = (),
) -> dict[str, Any]:
    """Make a clinician with weekly hours, a physiotherapist unless it is said otherwise."""
    return {
        "id": person_id,
        "family": person_id.title(),
        "given": "P.",
        "discipline": discipline,
        "languages": list(languages),
        "site": "toronto",
        "email": f"{person_id}@clinic.example",
        "hours": [{"days": list(days), "from": start, "to": end, "for": list(purpose)}],
        "absences": [{"from": first, "to": last} for first, last in absences],
    }


REVIEW: Mapping[str, Any] = {
    "id": "review",
    "name": "Review",
    "kind": "review",
    "minutes": 30,
    "disciplines": ["physiotherapy"],
    "room": "assessment",
}


def local(day: date, wall: str) -> datetime:
    """Give the moment of a wall-clock time in Toronto."""
    return datetime.combine(day, time.fromisoformat(wall), tzinfo=ZoneInfo(TORONTO)).astimezone(UTC)
