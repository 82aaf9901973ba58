"""What a day of planning knows: whose first visit has no day yet, what is free, and who is expected."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

Group = str
"""Clinicians who take the same visits, by a name that says which."""
FreeVisits = Mapping[tuple[Group, date], int]
"""How many visits of a group still fit on a local day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unscheduled:
    """A referral whose first visit has no day; days are local days of its site.

    `since` is the day from which it had none: it was sent, or its visit was lost. Between being told and the
    visit the patient needs `notice` days, and `can_come` tells on which days.
    """

    id: str
    priority: str
    need: str
    sent_on: date
    due_on: date
    since: date
    notice: int = 1
    can_come: Callable[[date], bool] = field(default=lambda _: True, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The day of a first visit, and of which group its clinician is."""

    id: str
    group: Group
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedArrivals:
    """How many referrals are expected to be sent on each day of the look-ahead, and of which kinds.

    Shares of priorities and of needs each sum to 1.
    """

    by_day: Mapping[date, float]
    priorities: Mapping[str, float]
    needs: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalCounts:
    """How many referrals were accepted in the last weeks, by (programme, priority)."""

    weeks: float
    by_kind: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a site has free on the days to come, who has no day yet, and how many are expected."""

    book: "DayBook"
    waiting: Sequence[Unscheduled]
    expected: ExpectedArrivals
    terms: "PlanTerms"
    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a priority is promised: days to the first visit, what being in time is worth, and what of a day is
    kept for it until `kept_until` days ahead. `more` multiplies how many of it are expected, for safety.
    """

    days: int
    weight: float
    reserve: float = 0.0
    kept_until: int = 0
    more: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTerms:
    """The numbers of a plan: the terms of each priority, the highest first, and what is known of the clinic.

    `missed` is the share of visits to which nobody comes. A day is told once it lies within `commit_days`, or
    `tell_after` working days have passed since the referral had none; with `tell_ahead` instead only once it
    lies within so many days. That there is none is told after `tell_after` working days in either way.
    """

    priorities: Mapping[str, Terms]
    second_days: int = 56
    look_ahead: int = 42
    commit_days: int = 5
    tell_after: int = 2
    tell_ahead: int | None = None
    missed: float = 0.1
    iterations: int = 500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DayBook:
    """What a site has free: the groups that take each need, what is free of each, and how much they work."""

    groups: Mapping[str, Sequence[Group]]
    free: FreeVisits
    whole: FreeVisits
    is_working: Callable[[date], bool]
