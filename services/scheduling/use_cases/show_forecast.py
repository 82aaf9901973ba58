"""Read what a forecast of a site begins with, and work it out: breaches to come, and what more visits
prevent.

What is read is read in one transaction; the futures are played in a thread, without one.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.scheduling import queries, rules
from services.scheduling.models.forecasts import (
    ClinicState,
    Extra,
    Forecast,
    ForecastCorrection,
    Futures,
    MadeForecast,
    Rates,
)
from services.scheduling.models.site_counts import SiteCounts
from services.scheduling.models.spans import Taken
from services.scheduling.rules.forecast_state import ForecastSite
from shared.clinic import Site
from shared.context import Context
from shared.db import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastInput:
    """All that a forecast is made of."""

    at: ForecastSite
    today: date
    weeks: int
    promised_days: Mapping[int, float]
    counts: SiteCounts
    taken: Taken
    past: Sequence[MadeForecast]


async def read(ctx: Context, tx: Transaction, *, site: Site, weeks: int) -> ForecastInput:
    """Read the state of a site for a forecast of so many weeks from today on."""
    at = ForecastSite.of(ctx.clinic, site)
    today = ctx.at.astimezone(site.zone).date()
    window = rules.forecast_state.window(today, weeks=weeks, site=site)
    begins = window.start - timedelta(weeks=rules.arrival_rates.LEARNED_WEEKS)
    counts = SiteCounts(
        first_visits=tuple(
            await queries.forecasts.first_visits(tx, site.id, zone=site.time_zone, now=ctx.at)
        ),
        accepted=tuple(
            await queries.forecasts.accepted(
                tx, site.id, zone=site.time_zone, since=begins, until=window.start
            )
        ),
        outcomes=await queries.forecasts.outcomes(tx, site.id, since=begins, until=window.start),
        accepts_since=await queries.forecasts.accepts_since(tx, site.id),
    )
    return ForecastInput(
        at=at,
        today=today,
        weeks=weeks,
        promised_days=rules.forecast_state.promised_days(ctx.clinic.guarantee),
        counts=counts,
        taken=await queries.occupancy.taken(tx, at.keys, window=window, at=ctx.at),
        past=await queries.forecasts.past(tx, site.id),
    )


async def run(known: ForecastInput, *, extra: Sequence[Extra] = ()) -> tuple[Forecast, ForecastCorrection]:
    """Work out the forecast; the same input gives the same one."""
    return await asyncio.to_thread(_worked_out, known, extra)


def play(known: ForecastInput, *, number: int) -> tuple[ClinicState, Rates, Futures]:
    """Play so many futures of what was read."""
    state = rules.forecast_state.state(
        known.at, known.counts, today=known.today, weeks=known.weeks, taken=known.taken
    )
    rates = rules.forecast_state.rates(
        known.at, known.counts, today=known.today, promised_days=known.promised_days
    )
    return state, rates, rules.forecast.futures(state, rates, weeks=known.weeks, number=number)


def _worked_out(known: ForecastInput, extra: Sequence[Extra]) -> tuple[Forecast, ForecastCorrection]:
    number = rules.forecast.FUTURES
    state, rates, expected = play(known, number=number)
    with_extra = None
    if extra:
        with_extra = rules.forecast.futures(state, rates, weeks=known.weeks, number=number, extra=extra)
    correction = rules.conformal.fit(known.past)
    summed = rules.forecast_summary.summarise(
        state, rates, expected, correction=correction, with_extra=with_extra, extra=extra
    )
    return summed, correction
