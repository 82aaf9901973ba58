"""How many referrals a plan expects."""

from datetime import date, timedelta

import pytest

from services.scheduling.models.demand import ArrivalCounts
from services.scheduling.rules.arrivals import expected

MONDAY = date(2026, 6, 1)
WEEK = [MONDAY + timedelta(days=number) for number in range(7)]


def a_week(counts: ArrivalCounts, **prior: float) -> float:
    """Say how many referrals of the programme `back` are expected in a week."""
    return sum(expected(counts, prior=prior, programmes=["back"], days=WEEK).by_day.values())


def seen(number: int, *, weeks: float) -> ArrivalCounts:
    return ArrivalCounts(weeks=weeks, by_kind={("back", "routine"): number})


def test_the_first_referral_of_a_clinic_is_no_rate() -> None:
    assert a_week(seen(1, weeks=0.01)) == pytest.approx(0.25)


def test_after_four_weeks_the_clinics_own_are_what_is_expected() -> None:
    assert a_week(seen(24, weeks=12)) == pytest.approx(2)


def test_what_the_clinic_expects_counts_as_much_as_four_weeks() -> None:
    assert a_week(ArrivalCounts(weeks=0, by_kind={}), back=3) == pytest.approx(3)
    assert a_week(seen(12, weeks=12), back=3) == pytest.approx(1.5)


def test_nobody_is_expected_at_the_weekend() -> None:
    days = expected(seen(12, weeks=12), prior={}, programmes=["back"], days=WEEK).by_day
    assert [day.weekday() for day in days] == [0, 1, 2, 3, 4]
