"""What is answered at once to a referral that needs a first visit: a day, or the promise of one.

- The earliest policy always looks for the earliest time.
- The carve-out looks from the first day on that is open to the referral's priority.
- The plan gives a day at once to whom no evening may be waited for, and to everybody while the clinic is
  quiet: where the window of the promise is used less than `at_once_below`, those who are expected included.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from services.scheduling.models.demand import Outlook, Unscheduled
from services.scheduling.rules import carve_out, evening_plan
from shared.clinic import SchedulingPolicy

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAnswer:
    """A day that follows, or from which local day on the earliest time is looked for (None: any day).

    With `beyond_due` a time after the due day is taken too, where none is free before.
    """

    is_promise: bool = False
    from_day: date | None = None
    beyond_due: bool = False


def answer(
    who: Unscheduled, outlook: Outlook, *, policy: SchedulingPolicy, at_once_below: float
) -> FirstAnswer:
    """Say from which day on a time is looked for, by the clinic's policy."""
    book, terms, today = outlook.book, outlook.terms, outlook.today
    if policy is SchedulingPolicy.EARLIEST:
        return FirstAnswer()
    if policy is SchedulingPolicy.PLAN:
        if evening_plan.never_waits(who, terms=terms):
            return FirstAnswer(beyond_due=True)
        if evening_plan.is_pressing(who, today=today, terms=terms):
            given = evening_plan.at_once(who, book, terms=terms, today=today)
            return FirstAnswer(is_promise=given is None)
        if use_of_window(who, outlook) >= at_once_below:
            return FirstAnswer(is_promise=True)
    found = carve_out.earliest(who, book, terms=terms, today=today, until=who.due_on)
    return FirstAnswer(from_day=None if found is None else found.day)


def use_of_window(who: Unscheduled, outlook: Outlook) -> float:
    """Give the share of the visits up to a referral's due day that are taken, waited for or expected.

    1 where there are none at all.
    """
    book, expected, today = outlook.book, outlook.expected, outlook.today
    groups = frozenset(book.groups[who.need])
    days = [today + _DAY * number for number in range(1, (who.due_on - today).days + 1)]
    whole = sum(book.whole.get((group, day), 0) for group in groups for day in days)
    free = sum(book.free.get((group, day), 0) for group in groups for day in days)
    rivals = sum(1 for one in outlook.waiting if one.id != who.id and groups & {*book.groups[one.need]})
    share = sum(part for need, part in expected.needs.items() if groups & {*book.groups.get(need, ())})
    coming = share * sum(expected.by_day.get(day, 0.0) for day in days)
    return (whole - free + rivals + coming) / whole if whole else 1.0
