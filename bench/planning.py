"""The plan of an evening and the forecast: what they cost, and whether they still keep the promise.

Three drawn clinics are played by the plan: the same input gives the same days, so their shares in time are no
measurement of a machine. They may lie `TOLERANCE` points below what `bench/planned.json` records.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from deploy.simulate import play
from deploy.simulate.forecasting import Past
from deploy.simulate.play import Way
from deploy.simulate.policies import TERMS
from deploy.simulate.run import SimulatedRun
from services.scheduling.models.demand import DayBook, ExpectedArrivals, Outlook, PlanTerms, Unscheduled
from services.scheduling.rules import evening_plan, forecast

RECORDED = Path(__file__).parent / "planned.json"
SEEDS, LOAD = (1, 2, 3), 0.95
MEASURES = ("urgent5", "semi10", "routine28", "score")
TOLERANCE = 0.01
WAITING, PLAN_LIMIT = 5_000, 30.0
WEEKS, FUTURES_LIMIT = 26, 3.0
_GROUPS, _VISITS = 10, 14
_MONDAY = date(2026, 1, 5)
_DAY = timedelta(days=1)
_PRIORITIES = ("asap", "urgent", *("routine",) * 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningFigures:
    """Seconds of processor time for a plan and a forecast, and the shares in time by seed."""

    plan: float
    futures: float
    shares: Mapping[str, Mapping[str, float]]


def measure() -> PlanningFigures:
    """Measure all of it, one thing after the other."""
    played = {str(seed): play.of_seed(seed, load=LOAD, way=Way()).measures for seed in SEEDS}
    return PlanningFigures(
        plan=seconds_of_plan(WAITING),
        futures=seconds_of_futures(WEEKS),
        shares={seed: {name: round(found[name], 4) for name in MEASURES} for seed, found in played.items()},
    )


def seconds_of_plan(waiting: int) -> float:
    """Plan for so many who wait, for ten disciplines and with arrivals expected for six weeks."""
    outlook = full_outlook(waiting)
    begin = time.process_time()
    evening = evening_plan.evening(outlook)
    took = time.process_time() - begin
    if evening.failure is not None:
        raise RuntimeError(f"the solver ended {evening.failure}")
    return took


def full_outlook(waiting: int) -> Outlook:
    """Make a large clinic in which so many wait, sent in ten days; each cannot come on one weekday."""
    days = [_MONDAY + _DAY * number for number in range(1, 71)]
    groups = [f"group-{number}" for number in range(_GROUPS)]
    free = {(group, day): _VISITS for group in groups for day in days if day.weekday() < 5}
    book = DayBook(
        groups={f"need-{number}": (groups[number],) for number in range(_GROUPS)},
        free=free,
        whole=free,
        is_working=lambda day: day.weekday() < 5,
    )
    return Outlook(
        book=book,
        waiting=[_who(number) for number in range(waiting)],
        expected=ExpectedArrivals(
            by_day={day: 100.0 for day in days[:42] if day.weekday() < 5},
            priorities={"asap": 0.1, "urgent": 0.2, "routine": 0.7},
            needs=dict.fromkeys(book.groups, 1 / _GROUPS),
        ),
        terms=PlanTerms(priorities=TERMS),
        today=_MONDAY,
    )


def _who(number: int) -> Unscheduled:
    priority, sent_on = _PRIORITIES[number % len(_PRIORITIES)], _MONDAY - _DAY * (number % 10)
    return Unscheduled(
        id=f"r{number:05}",
        priority=priority,
        need=f"need-{number % _GROUPS}",
        sent_on=sent_on,
        due_on=sent_on + _DAY * TERMS[priority].days,
        since=sent_on,
        can_come=lambda day: day.weekday() != number % 5,
    )


def seconds_of_futures(weeks: int) -> float:
    """Forecast a drawn clinic from its middle day on, a thousand futures."""
    instance, hidden = play.drawn(None, seed=1, load=1.0, missed=0.1, uneven=False)
    half = instance.days // 2
    run = SimulatedRun(instance, hidden, play.policy_of(Way(policy="carve-out"), instance)).play(days=half)
    past = Past(run=run, day=instance.first_day + _DAY * half)
    state, rates = past.state(weeks=weeks), past.rates()
    begin = time.process_time()
    forecast.futures(state, rates, weeks=weeks)
    return time.process_time() - begin


def wrong(found: PlanningFigures, recorded: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Say what is slower than its limit, and which share lies below what is recorded."""
    slow = [
        f"{name}: {took:.1f} s of processor time, {limit:.0f} are allowed"
        for name, took, limit in (
            (f"{WAITING} waiting planned", found.plan, PLAN_LIMIT),
            (f"{WEEKS} weeks forecast", found.futures, FUTURES_LIMIT),
        )
        if took > limit
    ]
    return slow + [
        f"seed {seed}, {name}: {100 * share:.1f}%, recorded are {100 * recorded[seed][name]:.1f}%"
        for seed, shares in found.shares.items()
        for name, share in shares.items()
        if share < recorded[seed][name] - TOLERANCE
    ]


def main(*, write: bool) -> int:
    """Print the figures beside what is recorded; 1 where something is wrong."""
    found = measure()
    if write:
        RECORDED.write_text(json.dumps(found.shares, indent=2) + "\n")
    recorded = json.loads(RECORDED.read_text())
    print(f"{WAITING} waiting planned in {found.plan:.1f} s, {WEEKS} weeks forecast in {found.futures:.1f} s")
    for seed, shares in found.shares.items():
        shown = ", ".join(
            f"{name} {100 * share:.1f}% ({100 * recorded[seed][name]:.1f})" for name, share in shares.items()
        )
        print(f"seed {seed}, load {LOAD}: {shown}")
    findings = wrong(found, recorded)
    print("\n".join(findings) or "as recorded")
    return 1 if findings else 0
