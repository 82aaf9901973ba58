"""What this service keeps and what its rules speak about."""

from services.referral.models.facts import (
    CoverageFact,
    Day,
    Facts,
    Finding,
    Missing,
    Outcome,
    Verdict,
)
from services.referral.models.grants import Decision, GrantedItem, RequestedItem
from services.referral.models.questions import EMERGENCY_FLAGS, URGENT_FLAGS
from services.referral.models.rows import (
    Claim,
    ClaimResponse,
    DirectoryEntry,
    Enclosure,
    Patient,
    PatientIdentifier,
    Referral,
    SenderIdentifier,
    Task,
)
from services.referral.models.submission import Piece, Submission
from services.referral.models.tables import Base

__all__ = [
    "EMERGENCY_FLAGS",
    "URGENT_FLAGS",
    "Base",
    "Claim",
    "ClaimResponse",
    "CoverageFact",
    "Day",
    "Decision",
    "DirectoryEntry",
    "Enclosure",
    "Facts",
    "Finding",
    "GrantedItem",
    "Missing",
    "Outcome",
    "Patient",
    "PatientIdentifier",
    "Piece",
    "Referral",
    "RequestedItem",
    "SenderIdentifier",
    "Submission",
    "Task",
    "Verdict",
]
