"""Write a sample of every event type that has none yet: `python -m tests.contract.make_samples`.

A sample that stands is never written again: it says what consumers have been promised.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.events.catalog import CATALOG, DomainEvent
from shared.events.envelope import Event
from shared.events.message import Resource, head, message
from shared.events.topics import TOPICS
from shared.fhir.codes import LUMBAR, ROSTER_EXTENSION

SAMPLES = Path(__file__).parent / "samples"
_AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_PATIENT, _REFERRAL = {"reference": "Patient/p1"}, {"reference": "ServiceRequest/r1"}
_PERIOD = {"start": "2026-03-02T14:00:00Z", "end": "2026-03-02T15:00:00Z"}

# One minimal resource for each type that an event is about or carries, valid in R4B.
EXAMPLES: dict[str, dict[str, Any]] = {
    "Appointment": {
        "id": "a1",
        "status": "booked",
        "basedOn": [_REFERRAL],
        **_PERIOD,
        "participant": [{"actor": _PATIENT, "status": "accepted"}],
    },
    "AppointmentResponse": {
        "id": "ar1",
        "appointment": {"reference": "Appointment/a1"},
        **_PERIOD,
        "actor": _PATIENT,
        "participantStatus": "accepted",
    },
    "QuestionnaireResponse": {
        "id": "qr1",
        "questionnaire": f"{LUMBAR}/Questionnaire/intake",
        "status": "completed",
        "subject": _PATIENT,
        "basedOn": [_REFERRAL],
        "authored": "2026-03-02T12:00:00Z",
    },
    "CarePlan": {
        "id": "cp1",
        "status": "active",
        "intent": "plan",
        "subject": _PATIENT,
        "basedOn": [{"reference": "CarePlan/cp0"}],
    },
    "CareTeam": {"id": "ct1", "status": "active", "subject": _PATIENT},
    "Claim": {
        "id": "c1",
        "status": "active",
        "type": {"text": "professional"},
        "use": "preauthorization",
        "patient": _PATIENT,
        "created": "2026-03-02",
        "provider": {"reference": "Organization/lumbar"},
        "priority": {"text": "normal"},
        "insurance": [{"sequence": 1, "focal": True, "coverage": {"reference": "Coverage/k1"}}],
        "referral": _REFERRAL,
    },
    "ClaimResponse": {
        "id": "cr1",
        "status": "active",
        "type": {"text": "professional"},
        "use": "preauthorization",
        "patient": _PATIENT,
        "created": "2026-03-02",
        "insurer": {"reference": "Organization/workplace-insurer"},
        "outcome": "complete",
        "request": {"reference": "Claim/c1"},
    },
    "Basic": {
        "id": "toronto",
        "meta": {"versionId": "2", "lastUpdated": "2026-03-02T12:00:00.000Z"},
        "code": {"text": "roster"},
        "extension": [
            {
                "url": ROSTER_EXTENSION,
                "valueString": '{"site": "toronto", "people": [], "place": {}, "programmes": {}}',
            }
        ],
    },
    "Communication": {"id": "m1", "status": "completed", "subject": _PATIENT, "basedOn": [_REFERRAL]},
    "Composition": {
        "id": "co1",
        "status": "final",
        "type": {"text": "report"},
        "date": "2026-03-02",
        "author": [{"reference": "Organization/lumbar"}],
        "title": "Report",
    },
    "Goal": {
        "id": "g1",
        "lifecycleStatus": "active",
        "description": {"text": "Return to work"},
        "subject": _PATIENT,
    },
    "List": {
        "id": "l1",
        "status": "current",
        "mode": "snapshot",
        "subject": _PATIENT,
        "identifier": [{"system": f"{LUMBAR}/referral", "value": "r1"}],
        "entry": [{"item": {"reference": "Appointment/a1"}}],
    },
    "Observation": {
        "id": "o1",
        "status": "final",
        "code": {"text": "pain"},
        "subject": _PATIENT,
        "basedOn": [_REFERRAL],
        "valueInteger": 4,
    },
    "Parameters": {"id": "cr1", "parameter": [{"name": "status", "valueCode": "requested"}]},
    "Patient": {"id": "p1"},
    "ServiceRequest": {"id": "r1", "status": "active", "intent": "order", "subject": _PATIENT},
    "Organization": {
        "id": "o1",
        "meta": {"versionId": "1", "lastUpdated": "2026-03-02T12:00:00.000Z"},
        "name": "Clinic",
    },
    "Task": {"id": "t1", "status": "in-progress", "intent": "order", "focus": _REFERRAL, "for": _PATIENT},
}


def sample(event_type: type[DomainEvent]) -> dict[str, Any]:
    """Give the sample of an event type as it travels."""
    resources = [_example(name) for name in (event_type.focus_types[0], *event_type.carries)]
    source = f"{LUMBAR}/{TOPICS[event_type.topic].publisher}"
    named: list[tuple[Any, Resource]] = [(head(resource), resource) for resource in resources]
    value = message(event_id="e1", event_type=event_type.name, source=source, at=_AT, resources=named)
    event = Event(
        id="e1",
        type=event_type.name,
        source=source,
        subject=named[0][0].reference,
        time=_AT,
        key="p1",
        version=1,
        value=value,
    )
    return {
        "topic": event_type.topic,
        "keyed_by": event_type.keyed_by,
        "headers": event.headers(),
        "value": json.loads(value),
    }


def path_of(event_type: str) -> Path:
    """Tell where the sample of an event type lies."""
    return SAMPLES / f"{event_type}.json"


def _example(resource_type: str) -> dict[str, Any]:
    return {"resourceType": resource_type, **EXAMPLES[resource_type]}


if __name__ == "__main__":
    SAMPLES.mkdir(exist_ok=True)
    for missing in (event for event in CATALOG.values() if not path_of(event.name).exists()):
        path_of(missing.name).write_text(json.dumps(sample(missing), indent=2) + "\n")
