"""What a patient's summary is made of, as it is read."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamResource:
    """A resource of a team as bytes, and what it is in the summary."""

    part: Literal["plan", "goal", "case", "action", "message"]
    team_id: UUID
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamScore:
    """A score of an instrument; a baseline that lies further back than what is shown is there as well."""

    id: UUID
    team_id: UUID
    instrument: str
    score: Decimal
    effective_at: datetime
    baseline: bool
    is_shown: bool
