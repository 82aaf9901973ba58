"""What careteam keeps and what its rules speak about.

Every row that is a FHIR resource keeps its bytes beside the columns that are searched and constrained. Cases
and actions are both Tasks in FHIR, and `CareTask` holds both.
"""

from services.careteam.models.care import Caseload, EndedReferral, Goal, Plan, Team, TeamMember
from services.careteam.models.instruments import (
    INSTRUMENTS,
    NPRS,
    OSWESTRY,
    OSWESTRY_HIGHEST,
    OSWESTRY_SECTIONS,
    Band,
    Instrument,
    ScoreChange,
    Trend,
)
from services.careteam.models.meetings import (
    CareTask,
    CaseReason,
    Decision,
    Meeting,
    MeetingParticipant,
    Minutes,
)
from services.careteam.models.outcomes import Answers, Message, Outcome
from services.careteam.models.places import Place
from services.careteam.models.tables import Base

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
    "CaseReason",
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
    "ScoreChange",
    "Team",
    "TeamMember",
    "Trend",
]
