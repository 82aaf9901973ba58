"""The earliest day, of which a part is kept for those who are more urgent: the rule without a plan.

Invariants:
- Nobody takes what is kept for a higher priority; the highest takes whatever is free.
- What was kept and nobody asked for is for everybody from `kept_until` days ahead on.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from math import ceil

from services.scheduling.models.demand import DayBook, Group, PlanTerms, Told, Unscheduled

_DAY = timedelta(days=1)
# Shares of a day are sums of fractions; a visit is not kept for a rounding error.
_ROUNDING = 1e-9


def earliest(
    who: Unscheduled, book: DayBook, *, terms: PlanTerms, today: date, until: date, reserved: bool = True
) -> Told | None:
    """Find the earliest day that is open to a referral up to a day, that day included; None without any.

    Without `reserved` nothing is kept for anybody.
    """
    return next(open_days(who, book, terms=terms, today=today, until=until, reserved=reserved), None)


def open_days(
    who: Unscheduled, book: DayBook, *, terms: PlanTerms, today: date, until: date, reserved: bool = True
) -> Iterator[Told]:
    """Go through the days that are open to a referral up to a day, that day included."""
    day = today + _DAY * max(1, who.notice)
    while day <= until:
        if who.can_come(day):
            group = _with_free(who, book, day=day)
            kept = kept_visits(who, book, terms=terms, today=today, day=day) if reserved else 0
            if group is not None and free_visits(who, book, day=day) > kept:
                yield Told(id=who.id, group=group, day=day)
        day += _DAY


def free_visits(who: Unscheduled, book: DayBook, *, day: date) -> int:
    """Count the visits of a day that fit what a referral needs and are free."""
    return sum(book.free.get((group, day), 0) for group in book.groups[who.need])


def kept_visits(who: Unscheduled, book: DayBook, *, terms: PlanTerms, today: date, day: date) -> int:
    """Count the visits of a day that are kept for higher priorities than a referral's."""
    ahead, share = (day - today).days, 0.0
    for priority, kept in terms.priorities.items():
        if priority == who.priority:
            break
        share += kept.reserve if ahead > kept.kept_until else 0.0
    whole = sum(book.whole.get((group, day), 0) for group in book.groups[who.need])
    return ceil(share * whole - _ROUNDING)


def _with_free(who: Unscheduled, book: DayBook, *, day: date) -> Group | None:
    """Name the first group with a free visit: those who take nothing else come first."""
    return next((group for group in book.groups[who.need] if book.free.get((group, day), 0) > 0), None)
