"""What a forecast begins with, what it assumes, and what it says of the weeks to come.

Weeks are seven days each, the first one begins on the day of the forecast. A breach is a first visit that did
not take place by its due day; it belongs to the week of that day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Need = str
"""The discipline of a first visit."""
LONGEST_WEEKS = 26
"""So far ahead a forecast looks at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """The visits of one clinician that nobody has: how many on each day, and the needs they are for."""

    takes: tuple[Need, ...]
    visits: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicState:
    """First visits of a site as they stand before a day begins.

    `waiting` counts who has no visit by need and due day, `booked` who has one by need, due day and day of
    the visit. `working` says of each day from the first on whether visits can be added on it.
    """

    first_day: date
    needs: tuple[Need, ...]
    waiting: Mapping[tuple[Need, date], int]
    booked: Mapping[tuple[Need, date, date], int]
    shifts: Sequence[Shift]
    working: tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """How many referrals of a need were accepted on a day with so many days left to their due day."""

    need: Need
    on: date
    days_left: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedRate:
    """How many referrals of a need are expected in a week, how sure that is, and how long they have.

    `shape` is that of a Gamma distribution around `weekly`: the rate is known as well as after so many
    referrals.
    """

    weekly: float
    shape: float
    days_left: Mapping[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What a forecast assumes: arrivals by need, by weekday (shares of a week), and what goes wrong.

    A week's arrivals are multiplied by a Gamma variate of shape `evenness` and mean 1. `failed` is the share
    of visits that do not take place, `slipped` that of patients who cannot come in time though a visit is
    free, `sick` that of working days on which a clinician falls sick.
    """

    arrivals: Mapping[Need, NeedRate]
    weekdays: tuple[float, ...]
    evenness: float
    failed: float
    slipped: float
    sick: float
    learned_weeks: float
    referrals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """So many visits of a need are added to each week, from the start of a week on (1 is the first)."""

    need: Need
    visits: int
    from_week: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Futures:
    """What became of every future: counts by future, need and week."""

    needs: tuple[Need, ...]
    breaches: Counts
    demand: Counts
    capacity: NDArray[np.float64]

    @property
    def weeks(self) -> int:
        """How many weeks were looked ahead."""
        return int(self.breaches.shape[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantiles:
    """A median, and between which two numbers four of five futures lie."""

    q10: int
    q50: int
    q90: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeForecast:
    """What a forecast said of the breaches of a need in a week, before correction, and what came true."""

    week: int
    q10: int
    q50: int
    q90: int
    truth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastCorrection:
    """How much an interval is widened below and above, in units of its own width, by how far ahead it looks.

    Bands are the last weeks of each; `own` says how many of the clinic's own past forecasts each was fitted
    on, 0 where the shipped figures stand.
    """

    bands: tuple[int, ...]
    below: tuple[float, ...]
    above: tuple[float, ...]
    own: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekForecast:
    """A week of one need, or of all together where `need` is None."""

    week: int
    need: Need | None
    breaches: Quantiles
    demand: Quantiles
    capacity: Quantiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Prevented:
    """How many breaches extra visits prevent, in all and by need, and what is left."""

    total: Quantiles
    by_need: Mapping[Need, Quantiles]
    left: Quantiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The weeks to come by need and in all, their sums, and what extra visits would prevent where asked.

    `totals` are over all weeks by need, and by None for all of them.
    """

    first_day: date
    weeks: int
    needs: tuple[Need, ...]
    rows: Sequence[WeekForecast]
    totals: Mapping[Need | None, WeekForecast]
    waiting: Mapping[Need, int]
    rates: Rates
    extra: tuple[Extra, ...] = ()
    prevented: Prevented | None = None
