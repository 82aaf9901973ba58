"""Every night each site keeps the forecast of that morning, and says of weeks that are over what came true.

A night that comes again changes nothing: a forecast that is kept stands, and so does what came true.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from services.scheduling import queries, rules
from services.scheduling.models.forecasts import LONGEST_WEEKS
from services.scheduling.models.rows import ForecastMade
from services.scheduling.models.timer_kinds import TimerKind
from services.scheduling.use_cases import show_forecast
from services.scheduling.use_cases.show_forecast import ForecastInput
from shared import timers
from shared.clinic import Site
from shared.context import Context
from shared.db import Transaction

_DAY = timedelta(days=1)
# When nobody works, and the day is still to come.
_AT_NIGHT = time(2, 30)
# People have so many days to record what became of a visit before a week counts as it stands.
_RECORDING = timedelta(days=3)
_FUTURES = 200


async def start_nights(ctx: Context, tx: Transaction) -> None:
    """Set the timer of each site for its next night, where none is set."""
    for site in ctx.clinic.sites:
        await timers.schedule_once(tx, kind=TimerKind.FORECAST, ref=site.id, due=next_night(ctx.at, site))


async def run(ctx: Context, tx: Transaction, site_id: str) -> None:
    """Keep this morning's forecast of a site, fill in what came true, and set the timer of the next night.

    A site that the clinic no longer has is left alone.
    """
    site = next((one for one in ctx.clinic.sites if one.id == site_id), None)
    if site is None:
        return
    await timers.schedule(tx, kind=TimerKind.FORECAST, ref=site_id, due=next_night(ctx.at, site))
    known = await show_forecast.read(ctx, tx, site=site, weeks=LONGEST_WEEKS)
    # A site that never had a referral has nothing but the prior, which is nothing to learn from.
    if known.counts.accepts_since is not None:
        await queries.forecasts.keep(tx, await asyncio.to_thread(_made, known, ctx.at))
    await _fill_truths(tx, site, known)
    await queries.forecasts.forget(tx, site_id, before=known.today - queries.forecasts.KEPT)


def next_night(now: datetime, site: Site) -> datetime:
    """Return when the next night of a site begins its forecast."""
    return rules.calendar.next_at(_AT_NIGHT, now=now, zone=site.zone)


def _made(known: ForecastInput, at: datetime) -> list[ForecastMade]:
    _, _, expected = show_forecast.play(known, number=_FUTURES)
    rows = []
    for need in expected.needs:
        for week in range(1, expected.weeks + 1):
            said = rules.forecast_summary.breach_range(expected, need, week)
            rows.append(
                ForecastMade(
                    site=known.at.site.id,
                    need=need,
                    made_on=known.today,
                    week=week,
                    made_at=at,
                    q10=said.q10,
                    q50=said.q50,
                    q90=said.q90,
                )
            )
    return rows


async def _fill_truths(tx: Transaction, site: Site, known: ForecastInput) -> None:
    over = await queries.forecasts.over(tx, site.id, today=known.today - _RECORDING)
    if not over:
        return
    first = min(_week_begins(made_on, week) for _, made_on, week in over)
    broken = await queries.forecasts.breached(
        tx,
        site.id,
        after=rules.calendar.local_day_start(first, site.zone),
        until=rules.calendar.local_day_end(known.today, site.zone),
    )
    await queries.forecasts.fill(tx, site.id, _truths(over, broken, known=known))


def _truths(
    over: Sequence[tuple[str, date, int]], broken: Sequence[tuple[str, date, int]], *, known: ForecastInput
) -> list[tuple[str, date, int, int]]:
    by_day: Counter[tuple[str, date]] = Counter()
    for programme, due_on, number in broken:
        if (need := known.at.programmes.get(programme)) is not None:
            by_day[need, due_on] += number
    return [
        (need, made_on, week, sum(by_day[need, _week_begins(made_on, week) + _DAY * day] for day in range(7)))
        for need, made_on, week in over
    ]


def _week_begins(made_on: date, week: int) -> date:
    return made_on + _DAY * 7 * (week - 1)
