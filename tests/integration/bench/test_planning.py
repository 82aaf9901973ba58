"""The bench of the plan can fail: on a share that fell, and on what takes too long."""

from dataclasses import replace

from bench.planning import TOLERANCE, PlanningFigures, full_outlook, seconds_of_plan, wrong
from services.scheduling.rules import evening_plan

RECORDED = {"1": {"urgent5": 0.97, "score": 0.95}}
FOUND = PlanningFigures(plan=8.0, futures=0.6, shares={"1": {"urgent5": 0.97, "score": 0.95}})


def test_what_is_as_recorded_or_a_little_below_is_right() -> None:
    assert wrong(FOUND, RECORDED) == []
    below = replace(FOUND, shares={"1": {"urgent5": 0.97 - TOLERANCE, "score": 0.95}})
    assert wrong(below, RECORDED) == []


def test_a_share_that_fell_is_named() -> None:
    fallen = replace(FOUND, shares={"1": {"urgent5": 0.95, "score": 0.95}})
    assert wrong(fallen, RECORDED) == ["seed 1, urgent5: 95.0%, recorded are 97.0%"]


def test_a_plan_or_a_forecast_that_takes_too_long_is_named() -> None:
    [plan, futures] = wrong(replace(FOUND, plan=31.0, futures=3.5), RECORDED)
    assert plan.startswith("5000 waiting planned: 31.0 s")
    assert futures.startswith("26 weeks forecast: 3.5 s")


def test_the_large_clinic_is_planned_and_whoever_is_told_a_day_has_one_that_is_free() -> None:
    outlook = full_outlook(60)
    told = evening_plan.evening(outlook).told
    assert len(told) > 20
    assert all(outlook.book.free[one.group, one.day] > 0 for one in told)
    assert seconds_of_plan(60) < 30
