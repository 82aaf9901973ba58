"""A guarantee beside all that a coordinator looks at with it, and what can be done about it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.scheduling.models.rows import Appointment, Guarantee, Referral
from shared.people import KnownPerson

# How far ahead a free time is looked for that is shown as a remedy.
REMEDY_WEEKS = 8
REMEDY_LOOK = timedelta(weeks=REMEDY_WEEKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuaranteeOverview:
    """A guarantee, its referral, the first appointment that lives, and who the patient is."""

    guarantee: Guarantee
    referral: Referral
    first: Appointment | None
    person: KnownPerson | None

    @property
    def patient_id(self) -> str:
        """Whom it is about, as every row says it."""
        return self.guarantee.patient_id

    @property
    def site(self) -> str:
        """Where it is, as every row says it."""
        return self.guarantee.site


@dataclass(frozen=True, slots=True, kw_only=True)
class GuaranteeFilter:
    """Which guarantees are asked for: any of these statuses, a programme, any of these priorities (none means
    all), ends between two moments (both included), and in which order of their ends.
    """

    statuses: tuple[str, ...]
    programme: str | None = None
    priorities: tuple[str, ...] = ()
    due_from: datetime | None = None
    due_until: datetime | None = None
    descending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """What would help a guarantee: give its first appointment this time; None where nothing is free soon."""

    action: str
    appointment: Appointment
    start: datetime | None = None
    practitioner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuaranteeFigures:
    """How many guarantees of a site have each status, and the days from sending to the visits that took
    place in time: the median and the 90th percentile, None without any.
    """

    by_status: dict[str, int]
    median_days: int | None
    p90_days: int | None
