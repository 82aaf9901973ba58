"""Rows of careteam to FHIR and back, by area."""

from services.careteam.fhir import asked, elements, meetings, messages, outcomes, plans, tasks, teams
from services.careteam.fhir.elements import decoded

__all__ = [
    "asked",
    "decoded",
    "elements",
    "meetings",
    "messages",
    "outcomes",
    "plans",
    "tasks",
    "teams",
]
