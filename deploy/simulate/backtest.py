"""`python -m deploy.simulate.backtest`: how often the forecast's 80% intervals hold, raw and corrected.

Simulated clinics are drawn and played; forecasts are made on several days of each, and held against what came
true. The shipped correction is fitted by `--fit` on other seeds than those that are tested.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path

from deploy.marked import put_between
from deploy.simulate import play
from deploy.simulate.forecasting import Past, breaches
from deploy.simulate.play import Way
from deploy.simulate.run import SimulatedRun
from services.scheduling.models.forecasts import ForecastCorrection, MadeForecast, Quantiles
from services.scheduling.rules import conformal, forecast, forecast_summary

LOADS = (0.90, 0.95, 1.00, 1.05, 1.10)
_FIRST_DAY, _STEP = 84, 7
_WEEKS = 12
_FUTURES = 400
_BEGIN, _END = "<!-- back-test -->", "<!-- end of back-test -->"


def main() -> None:
    """Make the forecasts, and print or write the table."""
    asked = argparse.ArgumentParser(prog="python -m deploy.simulate.backtest", description=__doc__)
    asked.add_argument("--forecasts", type=int, default=200, help="about so many forecasts")
    asked.add_argument(
        "--of-each", type=int, default=8, help="so many days of each drawn clinic, a week apart"
    )
    asked.add_argument("--first-seed", type=int, default=101)
    asked.add_argument("--policy", choices=("earliest", "carve-out", "plan"), default="plan")
    asked.add_argument("--workers", type=int, default=2)
    asked.add_argument("--fit", action="store_true", help="print the correction that these forecasts ask for")
    asked.add_argument("--write", type=Path, help="the document whose table is made anew")
    given = asked.parse_args()
    clinics = drawn(given.forecasts, of_each=given.of_each, first_seed=given.first_seed)
    made = list(run(clinics, policy=given.policy, of_each=given.of_each, workers=given.workers))
    if given.fit:
        sys.stdout.write(f"{conformal.fit(made)}\n")
        return
    lines = table(made, forecasts=len(clinics) * given.of_each, clinics=clinics, policy=given.policy)
    if given.write is None:
        sys.stdout.write("\n".join(lines) + "\n")
        return
    written = "\n".join([*lines, ""])
    given.write.write_text(put_between(given.write.read_text(), written, begin=_BEGIN, end=_END))


def drawn(forecasts: int, *, of_each: int, first_seed: int) -> list[tuple[int, float]]:
    """Name the clinics to draw, by seed and load: each has a seed of its own."""
    number = max(1, round(forecasts / of_each))
    return [(first_seed + place, LOADS[place % len(LOADS)]) for place in range(number)]


def run(
    clinics: Sequence[tuple[int, float]], *, policy: str, of_each: int, workers: int
) -> Iterator[MadeForecast]:
    """Play these clinics, and go through what was forecast and what came true."""
    asked = [(seed, load, policy, of_each) for seed, load in clinics]
    with ProcessPoolExecutor(workers) as pool:
        for made in pool.map(_forecasts, asked):
            yield from made


def _forecasts(asked: tuple[int, float, str, int]) -> list[MadeForecast]:
    seed, load, policy, of_each = asked
    return of_run(play.of_seed(seed, load=load, way=Way(policy=policy)).run, of_each=of_each)


def of_run(played: SimulatedRun, *, of_each: int) -> list[MadeForecast]:
    """Make forecasts on so many mornings of a run, a week apart, and hold them against what came true."""
    made = []
    for number in range(of_each):
        day = played.instance.first_day + timedelta(days=_FIRST_DAY + _STEP * number)
        past = Past(run=played, day=day)
        state = past.state(weeks=_WEEKS)
        expected = forecast.futures(state, past.rates(), weeks=_WEEKS, number=_FUTURES)
        truth = breaches(played, day=day, weeks=_WEEKS)
        for need in state.needs:
            for week in range(1, _WEEKS + 1):
                said = forecast_summary.breach_range(expected, need, week)
                made.append(
                    MadeForecast(week=week, q10=said.q10, q50=said.q50, q90=said.q90, truth=truth[need, week])
                )
    return made


def table(
    made: Sequence[MadeForecast], *, forecasts: int, clinics: Sequence[tuple[int, float]], policy: str
) -> list[str]:
    """Make the rows: how far ahead, how often the interval holds before and after, and how wide it is."""
    seeds = [seed for seed, _ in clinics]
    lines = [
        f"{forecasts} forecasts of {_WEEKS} weeks by {_FUTURES} futures, on {len(clinics)} clinics (seeds"
        f" {seeds[0]} to {seeds[-1]}, loads {LOADS[0]:.2f} to {LOADS[-1]:.2f}, policy {policy}).",
        "",
        "| Weeks ahead | 80% interval holds, raw | corrected | above it | Mean truth | Mean median |"
        " Mean interval, corrected |",
        "|---|---|---|---|---|---|---|",
    ]
    first = 1
    for last in (*conformal.BANDS[:-1], _WEEKS):
        lines.append(_row(f"{first} to {last}", [one for one in made if first <= one.week <= last]))
        first = last + 1
    return [*lines, _row("all", made)]


def covered(made: Sequence[MadeForecast], correction: ForecastCorrection | None = None) -> float:
    """Say which share of what came true lies in its interval, corrected or not."""
    held = [one.q10 <= one.truth <= one.q90 for one in _corrected(made, correction)]
    return sum(held) / max(1, len(held))


def _corrected(made: Sequence[MadeForecast], correction: ForecastCorrection | None) -> Iterator[MadeForecast]:
    for one in made:
        said = Quantiles(q10=one.q10, q50=one.q50, q90=one.q90)
        if correction is not None:
            said = conformal.corrected(said, week=one.week, correction=correction)
        yield MadeForecast(week=one.week, q10=said.q10, q50=said.q50, q90=said.q90, truth=one.truth)


def _row(name: str, made: Sequence[MadeForecast]) -> str:
    after = list(_corrected(made, conformal.SHIPPED))
    number = max(1, len(made))
    above = sum(one.truth > one.q90 for one in after) / number
    truth, median = (sum(one.truth for one in made) / number, sum(one.q50 for one in made) / number)
    low, high = (sum(one.q10 for one in after) / number, sum(one.q90 for one in after) / number)
    return (
        f"| {name} | {100 * covered(made):.0f}% | {100 * covered(made, conformal.SHIPPED):.0f}%"
        f" | {100 * above:.0f}% | {truth:.1f} | {median:.1f} | {low:.1f} to {high:.1f} |"
    )


if __name__ == "__main__":
    main()
