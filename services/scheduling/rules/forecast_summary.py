"""What many futures say together: medians and intervals by week and need, and what extra visits prevent."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.scheduling.models.forecasts import (
    ClinicState,
    Extra,
    Forecast,
    ForecastCorrection,
    Futures,
    Need,
    Prevented,
    Quantiles,
    Rates,
    WeekForecast,
)
from services.scheduling.rules import conformal


def summarise(
    state: ClinicState,
    rates: Rates,
    expected: Futures,
    *,
    correction: ForecastCorrection,
    with_extra: Futures | None = None,
    extra: Sequence[Extra] = (),
) -> Forecast:
    """Sum up futures by week and need; breaches are corrected by what past forecasts missed."""
    kinds: list[Need | None] = [*expected.needs, None]
    waiting: Counter[Need] = Counter(dict.fromkeys(state.needs, 0))
    for (need, _due_on), number in state.waiting.items():
        waiting[need] += number
    return Forecast(
        first_day=state.first_day,
        weeks=expected.weeks,
        needs=expected.needs,
        rows=[
            _row(expected, need, week=week, correction=correction)
            for week in range(1, expected.weeks + 1)
            for need in kinds
        ],
        totals={need: _row(expected, need, week=None, correction=correction) for need in kinds},
        waiting=waiting,
        rates=rates,
        extra=tuple(extra),
        prevented=None if with_extra is None else _prevented(expected, with_extra, correction=correction),
    )


def breach_range(expected: Futures, need: Need, week: int) -> Quantiles:
    """Say how many breaches a week of a need has, before any correction."""
    return _range(_of(expected.breaches, expected, need, week))


def _row(
    expected: Futures, need: Need | None, *, week: int | None, correction: ForecastCorrection
) -> WeekForecast:
    """Sum up a week, or all of them for None: those are corrected as the last one is."""
    last = week or expected.weeks
    breaches = _range(_of(expected.breaches, expected, need, week))
    return WeekForecast(
        week=last,
        need=need,
        breaches=conformal.corrected(breaches, week=last, correction=correction),
        demand=_range(_of(expected.demand, expected, need, week)),
        capacity=_range(_of(expected.capacity, expected, need, week)),
    )


def _prevented(expected: Futures, with_extra: Futures, *, correction: ForecastCorrection) -> Prevented:
    def saved(need: Need | None) -> Quantiles:
        before = _of(expected.breaches, expected, need, None)
        return _range(before - _of(with_extra.breaches, with_extra, need, None))

    left = _range(_of(with_extra.breaches, with_extra, None, None))
    return Prevented(
        total=saved(None),
        by_need={need: saved(need) for need in expected.needs},
        left=conformal.corrected(left, week=expected.weeks, correction=correction),
    )


def _of(counts: NDArray[Any], expected: Futures, need: Need | None, week: int | None) -> NDArray[Any]:
    """Take one need (None: all of them) and one week (None: all) of every future."""
    of_need = counts.sum(axis=1) if need is None else counts[:, expected.needs.index(need), :]
    summed: NDArray[Any] = of_need.sum(axis=1) if week is None else of_need[:, week - 1]
    return summed


def _range(counts: NDArray[Any]) -> Quantiles:
    lowest, median, highest = np.quantile(counts, (0.1, 0.5, 0.9), method="inverted_cdf")
    return Quantiles(q10=round(lowest), q50=round(median), q90=round(highest))
