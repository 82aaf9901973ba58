"""Rows of careteam to FHIR and back, by area."""

from services.careteam.fhir import (
    elements,
    meetings,
    messages,
    outcomes,
    plans,
    request_parsing,
    tasks,
    teams,
)
from services.careteam.fhir.elements import decoded

__all__ = [
    "decoded",
    "elements",
    "meetings",
    "messages",
    "outcomes",
    "plans",
    "request_parsing",
    "tasks",
    "teams",
]
