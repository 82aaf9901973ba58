"""Dates that may be known to the month or the year only: a rule that depends on the rest asks for it."""

import calendar
from collections.abc import Callable
from datetime import date

from services.referral.models.facts import Day


def certainly(day: Day, test: Callable[[date], bool]) -> bool | None:
    """Apply a test that changes its answer once along the calendar; None where the date is too vague."""
    first = test(day.earliest)
    return first if day.earliest == day.latest or first == test(day.latest) else None


def plus_months(day: date, months: int) -> date:
    """Go so many calendar months further, to the last day of a month that is too short."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    if day.day <= 28:
        return date(year, month, day.day)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def age(born: date, *, on: date) -> int:
    """Full years of age; who was born on 29 February is a year older on 1 March."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
