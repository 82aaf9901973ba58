"""A booked visit that no longer fits the description of the clinic."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import AwareDatetime

from shared.reasons import Reason


@dataclass(frozen=True, kw_only=True)
class VisitConflict:
    """An appointment with its start, and why it does not fit."""

    appointment: UUID
    starts_at: AwareDatetime
    reasons: tuple[Reason, ...]
