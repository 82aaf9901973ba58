"""What the database counts of a site for a forecast; days are local days of the site."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstVisitCount:
    """So many first visits of a programme have this due day and this day of the visit (None: they wait)."""

    programme: str
    due_on: date
    visit_on: date | None
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedCount:
    """So many referrals of a programme were accepted on a day with this due day."""

    programme: str
    accepted_on: date
    due_on: date
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """How many first visits failed because nobody came, and how many took place."""

    failed: int
    took_place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteCounts:
    """All that a forecast reads of a site; `accepts_since` is None where it never accepted a referral."""

    first_visits: tuple[FirstVisitCount, ...]
    accepted: tuple[AcceptedCount, ...]
    outcomes: Outcomes
    accepts_since: datetime | None
