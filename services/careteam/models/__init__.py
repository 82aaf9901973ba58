"""The tables of careteam's database, with the constraints that make bad states impossible, and its values.

Every row that is a FHIR resource keeps its bytes beside the columns that are searched and constrained. Cases
and actions are both Tasks in FHIR: `CareTask` holds both, and a check holds each to its own states.
"""

from services.careteam.models.base import Base
from services.careteam.models.care import Caseload, EndedReferral, Goal, Plan, Team, TeamMember
from services.careteam.models.instruments import (
    INSTRUMENTS,
    NPRS,
    OSWESTRY,
    OSWESTRY_HIGHEST,
    OSWESTRY_SECTIONS,
    Band,
    Instrument,
    Progress,
    Trend,
)
from services.careteam.models.meetings import CareTask, Decision, Meeting, MeetingParticipant, Minutes
from services.careteam.models.outcomes import Answers, Message, Outcome
from services.careteam.models.places import Place

__all__ = [
    "INSTRUMENTS",
    "NPRS",
    "OSWESTRY",
    "OSWESTRY_HIGHEST",
    "OSWESTRY_SECTIONS",
    "Answers",
    "Band",
    "Base",
    "CareTask",
    "Caseload",
    "Decision",
    "EndedReferral",
    "Goal",
    "Instrument",
    "Meeting",
    "MeetingParticipant",
    "Message",
    "Minutes",
    "Outcome",
    "Place",
    "Plan",
    "Progress",
    "Team",
    "TeamMember",
    "Trend",
]
