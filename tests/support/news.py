"""Events of the other services as `notifications` hears them, with only the members that it reads."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from shared.events.catalog import CATALOG
from shared.events.envelope import Event
from shared.events.message import head, message
from shared.fhir.codes import APPOINTMENT_KIND_SYSTEM, LUMBAR, TASK_CODE_SYSTEM, TASK_INPUT_SYSTEM
from shared.ids import new_text_id

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
REFERRAL = "00000000-0000-7000-8000-0000000000aa"
PATIENT = "00000000-0000-7000-8000-0000000000bb"
CLAIM = "00000000-0000-7000-8000-0000000000cc"
MEETING = "00000000-0000-7000-8000-0000000000dd"
SOURCE = f"{LUMBAR}/test"

Resource = dict[str, Any]


def an_event(
    name: str, focus: Resource, *carries: Resource, at: datetime = NOON, key: str = PATIENT, id: str = ""
) -> Event:
    """Make an event of a type of the catalog, as the outbox would."""
    event_id = id or new_text_id()
    resources = [(head(resource), resource) for resource in (focus, *carries)]
    assert focus["resourceType"] in CATALOG[name].focus_types
    return Event(
        id=event_id,
        type=name,
        source=SOURCE,
        subject=f"{focus['resourceType']}/{focus['id']}",
        time=at,
        key=key,
        version=1,
        value=message(event_id=event_id, event_type=name, source=SOURCE, at=at, resources=resources),
    )


def referral_event(
    name: str = "received",
    *,
    referral: str = REFERRAL,
    requester: str = "family-practice",
    site: str = "toronto",
) -> Event:
    """Make an event about a referral, with its process Task."""
    request = {
        "resourceType": "ServiceRequest",
        "id": referral,
        "subject": {"reference": f"Patient/{PATIENT}"},
    }
    task = {
        "resourceType": "Task",
        "id": "00000000-0000-7000-8000-0000000000ab",
        "code": {"coding": [{"system": TASK_CODE_SYSTEM, "code": "process-request"}]},
        "focus": {"reference": f"ServiceRequest/{referral}"},
        "requester": {"reference": f"Organization/{requester}"},
        "owner": {"reference": "Organization/harbour-spine"},
        "input": [
            {
                "type": {"coding": [{"system": TASK_INPUT_SYSTEM, "code": "site"}]},
                "valueString": site,
            }
        ],
    }
    return an_event(f"referral.{name}", request, task)


def authorization_event(name: str = "requested", *, payer: str = "workplace-insurer") -> Event:
    """Make an event about an authorization."""
    claim = {
        "resourceType": "Claim",
        "id": CLAIM,
        "insurer": {"reference": f"Organization/{payer}"},
        "referral": {"reference": f"ServiceRequest/{REFERRAL}"},
    }
    answer = {"resourceType": "Parameters", "id": CLAIM}
    return an_event(f"authorization.{name}", claim, *([answer] if name == "requested" else []))


def team_event(name: str = "formed", *, members: Sequence[str], status: str = "active") -> Event:
    """Make an event about the team of the referral."""
    team = {
        "resourceType": "CareTeam",
        "id": "00000000-0000-7000-8000-0000000000ee",
        "status": status,
        "identifier": [{"system": f"{LUMBAR}/referral", "value": REFERRAL}],
        "participant": [{"member": {"reference": f"Practitioner/{one}"}} for one in members],
    }
    return an_event(f"careteam.{name}", team)


def appointment_event(
    name: str = "booked", *, kind: str = "first", clinician: str = "physiotherapist"
) -> Event:
    """Make an event about an appointment of the referral."""
    appointment = {
        "resourceType": "Appointment",
        "id": "00000000-0000-7000-8000-0000000000ff",
        "status": "booked",
        "appointmentType": {"coding": [{"system": APPOINTMENT_KIND_SYSTEM, "code": kind}]},
        "basedOn": [{"reference": f"ServiceRequest/{REFERRAL}"}],
        "participant": [
            {"actor": {"reference": f"Patient/{PATIENT}"}},
            {"actor": {"reference": f"Practitioner/{clinician}"}},
            {"actor": {"reference": "Location/assessment-1"}},
        ],
    }
    return an_event(f"appointment.{name}", appointment)


def meeting_event(name: str = "agenda-published", *, people: Sequence[str]) -> Event:
    """Make an event about a meeting; it names no referral and is keyed by the meeting."""
    meeting = {
        "resourceType": "Appointment",
        "id": MEETING,
        "status": "booked",
        "participant": [{"actor": {"reference": f"Practitioner/{one}"}} for one in people],
    }
    return an_event(f"meeting.{name}", meeting, key=MEETING)


def action_event(name: str = "assigned", *, owner: str = "Practitioner/psychologist") -> Event:
    """Make an event about an action that a decision gave somebody."""
    task = {
        "resourceType": "Task",
        "id": "00000000-0000-7000-8000-0000000000ac",
        "basedOn": [{"reference": f"ServiceRequest/{REFERRAL}"}],
        "owner": {"reference": owner},
    }
    return an_event(f"action.{name}", task)


def replan_event(name: str = "found", *, site: str = "toronto") -> Event:
    """Make an event about the Task that names visits which no longer fit; it names no patient."""
    task = {
        "resourceType": "Task",
        "id": "00000000-0000-7000-8000-0000000000ad",
        "owner": {"reference": "Organization/harbour-spine"},
        "input": [{"type": {"coding": [{"system": TASK_INPUT_SYSTEM, "code": "site"}]}, "valueString": site}],
    }
    return an_event(f"calendar.conflicts-{name}", task, key=str(task["id"]))


def booking_ended() -> Event:
    """Make the event that nothing is booked for the referral any more."""
    task = {
        "resourceType": "Task",
        "id": "00000000-0000-7000-8000-0000000000ae",
        "basedOn": [{"reference": f"ServiceRequest/{REFERRAL}"}],
        "focus": {"reference": f"ServiceRequest/{REFERRAL}"},
    }
    return an_event("booking.ended", task)
