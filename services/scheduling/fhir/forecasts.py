"""A forecast as JSON: weeks by discipline, sums, what extra visits prevent, and what was assumed."""

from datetime import timedelta
from math import ceil
from typing import Any

from services.scheduling import texts
from services.scheduling.models.forecasts import (
    Forecast,
    ForecastCorrection,
    Prevented,
    Quantiles,
    Rates,
    WeekForecast,
)

_INTERVAL = 0.8
# From this week on a forecast is shown as a range.
SURE_WEEKS = 8


def describe(forecast: Forecast, correction: ForecastCorrection, *, zone: str) -> dict[str, Any]:
    """Write a forecast; the intervals of breaches are corrected, those of demand and capacity as they are."""
    return {
        "from": forecast.first_day.isoformat(),
        "to": (forecast.first_day + timedelta(weeks=forecast.weeks, days=-1)).isoformat(),
        "zone": zone,
        "weeks": forecast.weeks,
        "disciplines": list(forecast.needs),
        "interval": _INTERVAL,
        "waiting": dict(forecast.waiting),
        "rows": [_row(row, forecast) for row in forecast.rows],
        "totals": [_figures(row) for row in forecast.totals.values()],
        "extra": [
            {"discipline": one.need, "visits": one.visits, "from_week": one.from_week}
            for one in forecast.extra
        ],
        "keep": [{"discipline": need, "visits": _kept(forecast, need)} for need in forecast.needs],
        "prevented": None if forecast.prevented is None else _prevented(forecast.prevented),
        "assumed": _assumed(forecast.rates),
        "correction": _correction(correction),
        "certainty": {
            "sure_weeks": min(SURE_WEEKS, forecast.weeks),
            "is_range": forecast.weeks > SURE_WEEKS,
            "width": _width(forecast),
            "text": texts.FORECAST_RANGE if forecast.weeks > SURE_WEEKS else texts.FORECAST_SURE,
        },
    }


def _kept(forecast: Forecast, need: str) -> int:
    """Propose for how many first visits a week hours are kept: what nine of ten weeks ask for, repeats
    included.
    """
    asked = [row.demand.q90 for row in forecast.rows if row.need == need]
    return ceil(sum(asked) / len(asked) / (1 - forecast.rates.failed)) if asked else 0


def _row(row: WeekForecast, forecast: Forecast) -> dict[str, Any]:
    begins = forecast.first_day + timedelta(weeks=row.week - 1)
    days = {"from": begins.isoformat(), "to": (begins + timedelta(days=6)).isoformat()}
    return {"week": row.week, **days, **_figures(row)}


def _figures(row: WeekForecast) -> dict[str, Any]:
    return {
        "discipline": row.need,
        "breaches": _range(row.breaches),
        "demand": _range(row.demand),
        "capacity": _range(row.capacity),
    }


def _range(given: Quantiles) -> dict[str, int]:
    return {"q10": given.q10, "q50": given.q50, "q90": given.q90}


def _prevented(prevented: Prevented) -> dict[str, Any]:
    return {
        "breaches": _range(prevented.total),
        "by_discipline": {need: _range(given) for need, given in prevented.by_need.items()},
        "left": _range(prevented.left),
    }


def _assumed(rates: Rates) -> dict[str, Any]:
    return {
        "learned_weeks": round(rates.learned_weeks, 1),
        "referrals": rates.referrals,
        "a_week": {need: round(rate.weekly, 1) for need, rate in rates.arrivals.items()},
        "weeks_differ": round((1 / rates.evenness) ** 0.5, 2),
        "failed": round(rates.failed, 3),
        "cannot_come_in_time": rates.slipped,
        "sick": rates.sick,
        "text": texts.FORECAST_ASSUMED,
    }


def _correction(correction: ForecastCorrection) -> list[dict[str, Any]]:
    first = 1
    bands = []
    for number, last in enumerate(correction.bands):
        bands.append(
            {
                "from_week": first,
                "to_week": last,
                "below": correction.below[number],
                "above": correction.above[number],
                "own_forecasts": correction.own[number],
            }
        )
        first = last + 1
    return bands


def _width(forecast: Forecast) -> float | None:
    """Say how wide the interval of all breaches is, as a share of their median; None where that is 0."""
    total = forecast.totals[None].breaches
    return round((total.q90 - total.q10) / total.q50, 2) if total.q50 else None
