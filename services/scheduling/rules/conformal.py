"""Split conformal correction: past forecasts say by how much an interval must be wider to hold what it says.

Invariants:
- An interval is only ever made wider, and holds its median.
- With few forecasts of the clinic's own that came true the shipped figures stand, band by band.
"""

from collections.abc import Sequence
from math import ceil, floor

from services.scheduling.models.forecasts import ForecastCorrection, MadeForecast, Quantiles

# Each side of an 80% interval is missed by a tenth.
_MISSED = 0.1
# A band is fitted on its own once so many of its weeks are over.
LEAST_OWN = 60
BANDS = (2, 4, 8, 26)
SHIPPED = ForecastCorrection(
    bands=BANDS, below=(0.0, 0.0, 0.0, 0.0), above=(0.0, 0.333, 0.0, 0.0), own=(0, 0, 0, 0)
)
"""Fitted by `python -m deploy.simulate.backtest --fit` on clinics that the back-test does not use."""


def fit(past: Sequence[MadeForecast], *, least: int = LEAST_OWN) -> ForecastCorrection:
    """Fit the correction on forecasts whose weeks are over; bands with few keep the shipped figures."""
    below, above, own = [], [], []
    for number, last in enumerate(BANDS):
        first = BANDS[number - 1] + 1 if number else 1
        of_band = [one for one in past if first <= one.week <= last]
        if len(of_band) < least:
            below.append(SHIPPED.below[number])
            above.append(SHIPPED.above[number])
            own.append(0)
            continue
        below.append(_widening([(one.q10 - one.truth) / _scale(one) for one in of_band]))
        above.append(_widening([(one.truth - one.q90) / _scale(one) for one in of_band]))
        own.append(len(of_band))
    return ForecastCorrection(bands=BANDS, below=tuple(below), above=tuple(above), own=tuple(own))


def corrected(made: Quantiles, *, week: int, correction: ForecastCorrection) -> Quantiles:
    """Widen an interval by what forecasts that looked so many weeks ahead missed; nothing is below zero."""
    band = next(number for number, last in enumerate(correction.bands) if week <= last)
    scale = _scale(made)
    return Quantiles(
        q10=max(0, floor(made.q10 - correction.below[band] * scale)),
        q50=made.q50,
        q90=ceil(made.q90 + correction.above[band] * scale),
    )


def _scale(made: Quantiles | MadeForecast) -> int:
    """Measure an interval by its width; one that says a single number counts as one wide."""
    return max(1, made.q90 - made.q10)


def _widening(misses: Sequence[float]) -> float:
    """Find what holds nine of ten of these misses, the next one included; an interval is never narrowed."""
    rank = min(len(misses), ceil((len(misses) + 1) * (1 - _MISSED)))
    return max(0.0, round(sorted(misses)[rank - 1], 3))
