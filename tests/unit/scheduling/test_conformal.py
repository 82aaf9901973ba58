"""Intervals of a forecast, corrected by what earlier ones missed."""

from services.scheduling.models.forecasts import MadeForecast, Quantiles
from services.scheduling.rules import conformal


def past(number: int, *, truth: int, week: int = 1) -> list[MadeForecast]:
    return [MadeForecast(week=week, q10=10, q50=15, q90=20, truth=truth) for _ in range(number)]


class TestTheCorrection:
    def test_is_the_shipped_one_for_a_clinic_without_a_past(self) -> None:
        assert conformal.fit([]) == conformal.SHIPPED

    def test_is_the_clinics_own_once_enough_weeks_are_over(self) -> None:
        fitted = conformal.fit(past(conformal.LEAST_OWN, truth=25))
        assert fitted.own == (conformal.LEAST_OWN, 0, 0, 0)
        assert (fitted.below[0], fitted.above[0]) == (0.0, 0.5)
        assert fitted.above[1:] == conformal.SHIPPED.above[1:]

    def test_widens_below_what_lies_below(self) -> None:
        fitted = conformal.fit(past(conformal.LEAST_OWN, truth=5))
        assert (fitted.below[0], fitted.above[0]) == (0.5, 0.0)

    def test_never_narrows_an_interval(self) -> None:
        fitted = conformal.fit(past(100, truth=15))
        assert (fitted.below[0], fitted.above[0]) == (0.0, 0.0)

    def test_leaves_a_tenth_above(self) -> None:
        fitted = conformal.fit(past(95, truth=15) + past(5, truth=90))
        assert fitted.above[0] == 0.0
        assert conformal.fit(past(80, truth=15) + past(20, truth=90)).above[0] == 7.0


class TestACorrectedInterval:
    def test_is_wider_by_its_own_width_and_holds_its_median(self) -> None:
        fitted = conformal.fit(past(conformal.LEAST_OWN, truth=25))
        found = conformal.corrected(Quantiles(q10=2, q50=4, q90=8), week=2, correction=fitted)
        assert found == Quantiles(q10=2, q50=4, q90=11)

    def test_is_not_below_zero(self) -> None:
        fitted = conformal.fit(past(conformal.LEAST_OWN, truth=0))
        found = conformal.corrected(Quantiles(q10=1, q50=4, q90=8), week=1, correction=fitted)
        assert found.q10 == 0

    def test_that_says_one_number_counts_as_one_wide(self) -> None:
        fitted = conformal.fit(past(conformal.LEAST_OWN, truth=40))
        found = conformal.corrected(Quantiles(q10=0, q50=0, q90=0), week=1, correction=fitted)
        assert found.q90 == 2
