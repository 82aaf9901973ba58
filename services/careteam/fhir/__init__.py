"""Rows of careteam to FHIR and back, by area."""

from services.careteam.fhir import (
    elements,
    meetings,
    messages,
    outcomes,
    plans,
    request_parsing,
    screening,
    summary,
    tasks,
    teams,
    worklist,
)
