"""What a change of the roster asks for, and what it does with visits that no longer fit."""

from dataclasses import dataclass
from datetime import datetime

from services.scheduling.models.conflicts import VisitConflict
from services.scheduling.models.rows import Appointment, Referral


@dataclass(frozen=True, kw_only=True)
class AbsenceChange:
    """A time at which a person is away or, without one, the site is closed; `comment` says why."""

    person: str | None
    starts_at: datetime
    ends_at: datetime
    comment: str | None = None
    is_error: bool = False


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Who sees a patient, and in which room unless it has none, at the time that the visit has."""

    person: str
    room: str | None


@dataclass(frozen=True, kw_only=True)
class AffectedVisit:
    """A visit that does not fit any more, and what becomes of it.

    It gets a `placement` at its time, or where there is none it is asked about.
    """

    row: Appointment
    referral: Referral
    conflict: VisitConflict
    placement: Placement | None = None
