"""A visit that is to be planned anew, beside all that a coordinator needs to do it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.scheduling.models.conflicts import VisitConflict
from services.scheduling.models.rows import Appointment, Referral
from shared.people import KnownPerson


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedTime:
    """A time at which a visit could be instead; nobody holds it."""

    start: datetime
    end: datetime
    practitioner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitToReplan:
    """A visit that the site's Task names, and the times that are free for it."""

    row: Appointment
    conflict: VisitConflict
    referral: Referral
    person: KnownPerson | None
    times: Sequence[OfferedTime]

    @property
    def patient_id(self) -> str:
        """Whom it is about, as every row says it."""
        return self.row.patient_id

    @property
    def site(self) -> str:
        """Where it is, as every row says it."""
        return self.row.site
