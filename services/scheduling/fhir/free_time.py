"""Computed free time as Slots, which are not stored."""

from datetime import UTC, datetime
from typing import Any

from services.scheduling.models.spans import Span
from shared.clinic import Person
from shared.fhir.instants import to_the_second

_STAMP = "%Y%m%dT%H%MZ"


def render_slot(span: Span, *, person: Person) -> dict[str, Any]:
    """Write a free time of a clinician; its id says whose and from when."""
    return {
        "resourceType": "Slot",
        "id": f"{person.id}.{span.start.astimezone(UTC).strftime(_STAMP)}",
        "schedule": {"reference": f"Schedule/{person.id}"},
        "status": "free",
        "start": to_the_second(span.start),
        "end": to_the_second(span.end),
    }


def slot_start(slot_id: str) -> tuple[str, datetime] | None:
    """Read from a Slot's id whose it is and when it begins; None for no such id."""
    person_id, _, stamp = slot_id.partition(".")
    try:
        return person_id, datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
