"""What is answered at once to a referral that needs a first visit: a day, or the promise of one.

- The earliest policy always looks for the earliest time.
- The carve-out looks from the first day on that is open to the referral's priority.
- The plan gives a day at once to whom no evening may be waited for, and to everybody while the clinic is
  quiet: where the window of the promise is used less than `at_once_below`, those who are expected included.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from services.scheduling.models.demand import (
    DayBook,
    ExpectedArrivals,
    PlanTerms,
    Unscheduled,
)
from services.scheduling.rules import carve_out, evening_plan
from shared.clinic import SchedulingPolicy

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAnswer:
    """A day that follows, or from which local day on the earliest time is looked for (None: any day)."""

    is_promise: bool = False
    from_day: date | None = None


def answer(
    who: Unscheduled,
    book: DayBook,
    *,
    policy: SchedulingPolicy,
    terms: PlanTerms,
    at_once_below: float,
    waiting: Iterable[Unscheduled],
    expected: ExpectedArrivals,
    today: date,
) -> FirstAnswer:
    """Say from which day on a time is looked for, by the clinic's policy."""
    if policy is SchedulingPolicy.EARLIEST or terms.priorities[who.priority].days <= terms.commit_days:
        return FirstAnswer()
    pressing = evening_plan.is_pressing(who, today=today, terms=terms)
    if policy is SchedulingPolicy.PLAN and not pressing:
        use = use_of_window(who, book, waiting=waiting, expected=expected, today=today)
        if use >= at_once_below:
            return FirstAnswer(is_promise=True)
    if pressing:
        return FirstAnswer()
    found = carve_out.earliest(who, book, terms=terms, today=today, until=who.due_on)
    return FirstAnswer(from_day=None if found is None else found.day)


def use_of_window(
    who: Unscheduled,
    book: DayBook,
    *,
    waiting: Iterable[Unscheduled],
    expected: ExpectedArrivals,
    today: date,
) -> float:
    """Give the share of the visits up to a referral's due day that are taken, waited for or expected.

    1 where there are none at all.
    """
    groups = frozenset(book.groups[who.need])
    days = [today + _DAY * number for number in range(1, (who.due_on - today).days + 1)]
    whole = sum(book.whole.get((group, day), 0) for group in groups for day in days)
    free = sum(book.free.get((group, day), 0) for group in groups for day in days)
    rivals = sum(1 for one in waiting if one.id != who.id and groups & {*book.groups[one.need]})
    share = sum(part for need, part in expected.needs.items() if groups & {*book.groups.get(need, ())})
    coming = share * sum(expected.by_day.get(day, 0.0) for day in days)
    return (whole - free + rivals + coming) / whole if whole else 1.0
