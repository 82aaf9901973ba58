"""The futures of a clinic: counted by need and days left, one step a day, from the same draws each time."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scheduling.models.forecasts import Arrived, ClinicState, Extra, NeedRate, Rates, Shift
from services.scheduling.rules import arrival_rates, forecast

MONDAY = date(2026, 3, 2)
DAY = timedelta(days=1)


def days(number: int) -> tuple[bool, ...]:
    return tuple(day % 7 < 5 for day in range(number))


def a_clinic(
    *,
    a_day: int = 0,
    weeks: int = 4,
    waiting: Mapping[tuple[str, date], int] | None = None,
    booked: Mapping[tuple[str, date, date], int] | None = None,
) -> ClinicState:
    """A clinic with one discipline and so many free visits on each weekday."""
    working = days(7 * weeks)
    visits = tuple(a_day if works else 0 for works in working)
    return ClinicState(
        first_day=MONDAY,
        needs=("physiotherapy",),
        waiting=waiting or {},
        booked=booked or {},
        shifts=[Shift(takes=("physiotherapy",), visits=visits)],
        working=working,
    )


def rates(weekly: float = 0.0, **changes: Any) -> Rates:
    """Nothing goes wrong, and every week is as the others, unless it is said."""
    rate = NeedRate(weekly=max(weekly, 1e-9), shape=1e6, days_left={10: 1.0})
    usual = Rates(
        arrivals={"physiotherapy": rate},
        weekdays=(0.2, 0.2, 0.2, 0.2, 0.2, 0.0, 0.0),
        evenness=1e6,
        failed=0.0,
        slipped=0.0,
        sick=0.0,
        learned_weeks=12,
        referrals=0,
    )
    return replace(usual, **changes)


def breaches(state: ClinicState, assumed: Rates, *, weeks: int = 4, extra: tuple[Extra, ...] = ()) -> Any:
    return forecast.futures(state, assumed, weeks=weeks, number=50, extra=extra).breaches[:, 0, :]


class TestAFuture:
    def test_without_referrals_has_no_breach(self) -> None:
        assert breaches(a_clinic(), rates()).sum() == 0

    def test_breaks_what_nobody_can_see_in_the_week_of_its_due_day(self) -> None:
        waiting = {("physiotherapy", MONDAY + 8 * DAY): 3}
        assert breaches(a_clinic(waiting=waiting), rates()).tolist() == [[0, 3, 0, 0]] * 50

    def test_sees_who_is_due_first_first(self) -> None:
        waiting = {("physiotherapy", MONDAY + DAY): 2, ("physiotherapy", MONDAY + 20 * DAY): 20}
        assert breaches(a_clinic(a_day=2, waiting=waiting), rates()).sum() == 0

    def test_does_not_count_again_who_is_late_already(self) -> None:
        waiting = {("physiotherapy", MONDAY - DAY): 5}
        assert breaches(a_clinic(waiting=waiting), rates()).sum() == 0

    def test_lets_who_is_late_wait_for_who_is_not(self) -> None:
        waiting = {("physiotherapy", MONDAY - DAY): 5, ("physiotherapy", MONDAY): 1}
        assert breaches(a_clinic(a_day=1, waiting=waiting), rates()).sum() == 0

    def test_knows_that_a_visit_after_the_due_day_is_a_breach(self) -> None:
        booked = {("physiotherapy", MONDAY + 8 * DAY, MONDAY + 15 * DAY): 2}
        assert breaches(a_clinic(booked=booked), rates()).tolist() == [[0, 2, 0, 0]] * 50

    def test_counts_a_booked_visit_that_fails_shortly_before_its_due_day(self) -> None:
        booked = {("physiotherapy", MONDAY + 2 * DAY, MONDAY + DAY): 4}
        assert breaches(a_clinic(a_day=9, booked=booked), rates(failed=1.0)).tolist() == [[4, 0, 0, 0]] * 50

    def test_gives_another_visit_to_whom_one_failed_early(self) -> None:
        booked = {("physiotherapy", MONDAY + 20 * DAY, MONDAY + DAY): 1}
        found = breaches(a_clinic(a_day=1, booked=booked), rates(failed=0.5))
        assert 0 <= found.sum() < 25

    def test_has_breaches_where_more_arrive_than_can_be_seen(self) -> None:
        found = breaches(a_clinic(a_day=2, weeks=8), rates(weekly=20), weeks=8)
        assert found[:, -1].mean() > 5
        assert breaches(a_clinic(a_day=8, weeks=8), rates(weekly=20), weeks=8).sum() == 0

    def test_has_as_many_steps_as_days_however_many_futures(self, monkeypatch: pytest.MonkeyPatch) -> None:
        steps = 0
        played = forecast._Run.step

        def counted(run: Any, day: int) -> None:
            nonlocal steps
            steps += 1
            played(run, day)

        monkeypatch.setattr(forecast._Run, "step", counted)
        state = a_clinic(a_day=3, weeks=26)
        found = forecast.futures(state, rates(weekly=14), weeks=26, number=1000)
        assert found.breaches.shape == (1000, 1, 26)
        assert steps == 26 * 7


class TestTheSameInput:
    def test_gives_the_same_forecast(self) -> None:
        uncertain = rates(weekly=15, failed=0.1, sick=0.05, evenness=20.0)
        state = a_clinic(a_day=3)
        assert np.array_equal(breaches(state, uncertain), breaches(state, uncertain))

    def test_has_the_same_referrals_whatever_is_added(self) -> None:
        assumed = rates(weekly=15, failed=0.1, evenness=20.0)
        added = (Extra(need="physiotherapy", visits=10),)
        without = forecast.futures(a_clinic(a_day=3), assumed, weeks=4, number=50)
        more = forecast.futures(a_clinic(a_day=3), assumed, weeks=4, number=50, extra=added)
        assert np.array_equal(without.demand, more.demand)
        assert (more.capacity - without.capacity).sum() == 50 * 4 * 10


class TestExtraVisits:
    def test_of_a_week_are_spread_over_its_working_days(self) -> None:
        extra = Extra(need="physiotherapy", visits=4)
        spread = [forecast.extra_on(extra, day, days(7)) for day in range(7)]
        assert (sum(spread), max(spread), spread[5:]) == (4, 1, [0, 0])

    def test_begin_with_their_week(self) -> None:
        extra = Extra(need="physiotherapy", visits=4, from_week=2)
        spread = [forecast.extra_on(extra, day, days(14)) for day in range(14)]
        assert (sum(spread[:7]), sum(spread[7:])) == (0, 4)

    def test_of_a_week_in_which_nobody_works_are_none(self) -> None:
        extra = Extra(need="physiotherapy", visits=4)
        assert [forecast.extra_on(extra, day, (False,) * 7) for day in range(7)] == [0] * 7

    @settings(max_examples=25, deadline=None)
    @given(
        visits=st.integers(0, 40),
        a_day=st.integers(0, 5),
        waiting=st.dictionaries(
            st.tuples(st.just("physiotherapy"), st.integers(-5, 40).map(lambda left: MONDAY + DAY * left)),
            st.integers(1, 9),
            max_size=6,
        ),
    )
    def test_never_make_breaches_where_nothing_fails(
        self, visits: int, a_day: int, waiting: dict[tuple[str, date], int]
    ) -> None:
        state, assumed = a_clinic(a_day=a_day, waiting=waiting), rates(weekly=12)
        without = breaches(state, assumed).sum(axis=1)
        more = breaches(state, assumed, extra=(Extra(need="physiotherapy", visits=visits),)).sum(axis=1)
        assert (more <= without).all()


class TestWhatIsLearned:
    def learned(self, arrived: list[Arrived], **changes: Any) -> Rates:
        usual: dict[str, Any] = {
            "first_day": MONDAY,
            "weeks": 12.0,
            "usual_capacity": {"physiotherapy": 10.0},
            "promised_days": {"physiotherapy": {28: 1.0}},
        }
        return arrival_rates.learn(arrived, **usual | changes)

    def arrived(self, a_week: int) -> list[Arrived]:
        return [
            Arrived(need="physiotherapy", on=MONDAY - DAY * (7 * week + 3), days_left=25, number=a_week)
            for week in range(12)
        ]

    def test_of_a_new_clinic_is_the_prior_and_unsure(self) -> None:
        rate = self.learned([], weeks=0.0).arrivals["physiotherapy"]
        assert rate.weekly == pytest.approx(8)
        assert rate.days_left == {28: 1.0}
        assert rate.shape < 5

    def test_of_twelve_weeks_is_what_came(self) -> None:
        rate = self.learned(self.arrived(10)).arrivals["physiotherapy"]
        assert rate.weekly == pytest.approx((120 + 4) / 12.5)
        assert rate.days_left == {25: 1.0}
        assert rate.shape > 50

    def test_of_weeks_that_differ_is_less_sure(self) -> None:
        uneven = [replace(one, number=25 if week % 2 else 1) for week, one in enumerate(self.arrived(13))]
        even, odd = self.learned(self.arrived(13)), self.learned(uneven)
        assert odd.evenness < even.evenness
        assert odd.arrivals["physiotherapy"].shape < even.arrivals["physiotherapy"].shape

    def test_of_visits_moves_slowly_from_the_prior(self) -> None:
        assert self.learned([]).failed == pytest.approx(0.11)
        assert self.learned([], failed=100, took_place=100).failed == pytest.approx(111 / 300)

    def test_of_a_discipline_without_hours_is_almost_nothing(self) -> None:
        rate = self.learned([], usual_capacity={"physiotherapy": 0.0}).arrivals["physiotherapy"]
        assert rate.weekly < 0.01
