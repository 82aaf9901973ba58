"""Draws an instance: the recipe of the study on a clinic of five clinicians, by a seed and a load.

- 34 weeks from a Monday, the first four to warm up; five holidays; each clinician is away three weeks, and
  sick on a working day with 1.2%, which is known that morning.
- Referrals are Poisson by day, so many that they fill `load` of the visits that are left after sickness and
  of the share of patients who come; a surge in the warm-up makes a backlog of ten days.
"""

import math
from collections.abc import Iterator
from datetime import date
from random import Random
from typing import Any

from deploy.simulate.instance import FORMAT

BEGINS = date(2026, 1, 5)
_WEEKS, _WARM = 34, 28
_DAYS = _WEEKS * 7
_CLOSED = (46, 88, 133, 177, 210)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SHAPE = (1.25, 1.10, 1.00, 0.95, 0.70, 0.0, 0.0)
_CLINICIANS = (
    ("pt-1", ("pt",), (4, 4, 4, 4, 4)),
    ("pt-2", ("pt",), (0, 5, 0, 5, 0)),
    ("pt-3", ("pt",), (3, 0, 3, 0, 3)),
    ("flex", ("pt", "phys"), (3, 3, 3, 3, 0)),
    ("phys-1", ("phys",), (5, 0, 5, 0, 5)),
)
_LEAVE_WEEKS = ((4, 11), (13, 20), (22, 29))
_SICK = 0.012
_PRIORITIES = {"urgent": 0.1, "semi": 0.2, "routine": 0.7}
_WINDOWS = {"urgent": 5, "semi": 10, "routine": 28}
_NEEDS = {"pt": 0.65, "phys": 0.35}
_BACKLOG_DAYS = 10
_CANCELLED = 0.06
_TRIES = 6


def generate(seed: int, *, load: float, missed: float = 0.1, uneven: bool = False) -> dict[str, Any]:
    """Draw an instance; with `uneven` the weeks differ by a quarter of their mean (Erlang 16).

    The same seed gives the same instance.
    """
    draw = Random(seed)  # noqa: S311 - no secret
    clinicians = [_clinician(draw, *one) for one in _CLINICIANS]
    sick = [
        (one, day)
        for one in clinicians
        for day in range(_DAYS)
        if _visits(one, day) and draw.random() < _SICK
    ]
    free = sum(_visits(one, day) for one in clinicians for day in range(_DAYS))
    free -= sum(_visits(one, day) for one, day in sick)
    per_day = load * free * (1 - missed) / sum(map(_is_weekday, range(_DAYS)))
    referrals = list(_referrals(draw, per_day=per_day, uneven=uneven))
    return {
        "format": FORMAT,
        "name": f"seed {seed}, load {load:g}",
        "seed": seed,
        "load": load,
        "day0": BEGINS.isoformat(),
        "days": _DAYS,
        "warm": _WARM,
        "closed": list(_CLOSED),
        "clinicians": clinicians,
        "referrals": referrals,
        "behaviour": {"p_miss": missed, "p_cancel": _CANCELLED, "miss_slope": 0.0},
        "known": {
            "referrals_per_working_day": round(per_day, 3),
            "by_weekday": dict(zip(_WEEKDAYS, _SHAPE, strict=True)),
            "priorities": _PRIORITIES,
            "needs": _NEEDS,
            "windows": _WINDOWS,
            "missed": missed,
            "cancelled": _CANCELLED,
        },
        "score_days": [_WARM, _DAYS - 28],
        "hidden": {
            "sick": [[one["id"], day] for one, day in sick],
            "tries": {one["id"]: _tries(draw) for one in referrals},
        },
    }


def _clinician(draw: Random, id: str, takes: tuple[str, ...], slots: tuple[int, ...]) -> dict[str, Any]:
    weeks = [draw.randint(first, last) for first, last in _LEAVE_WEEKS]
    return {
        "id": id,
        "takes": list(takes),
        "slots": dict(zip(_WEEKDAYS, (*slots, 0, 0), strict=True)),
        "leave": [[7 * week, 7 * week + 6] for week in weeks],
    }


def _visits(clinician: dict[str, Any], day: int) -> int:
    away = any(first <= day <= last for first, last in clinician["leave"])
    return 0 if away or day in _CLOSED else int(clinician["slots"][_WEEKDAYS[day % 7]])


def _is_weekday(day: int) -> bool:
    """Practices send on holidays of the clinic too."""
    return day % 7 < 5


def _referrals(draw: Random, *, per_day: float, uneven: bool) -> Iterator[dict[str, Any]]:
    surge = per_day * _BACKLOG_DAYS / sum(map(_is_weekday, range(_WARM)))
    number = 0
    week = 1.0
    for day in range(_DAYS):
        if day % 7 == 0 and uneven:
            week = draw.gammavariate(16, 1 / 16)
        rate = per_day * _SHAPE[day % 7] * week
        extra = _poisson(draw, surge) if day < _WARM and _is_weekday(day) else 0
        kinds = [_pick(draw, _PRIORITIES) for _ in range(_poisson(draw, rate))] + ["routine"] * extra
        arrived = []
        for priority in kinds:
            arrived.append(_referral(draw, f"r{number:05}", day, priority))
            number += 1
        yield from sorted(arrived, key=lambda one: (one["minute"], one["id"]))


def _referral(draw: Random, id: str, day: int, priority: str) -> dict[str, Any]:
    window, is_urgent = _WINDOWS[priority], priority == "urgent"
    away = []
    if draw.random() < (0.08 if is_urgent else 0.25):
        first = day + draw.randint(1, window)
        away.append([first, first + draw.randint(1, 2 if is_urgent else 10) - 1])
    return {
        "id": id,
        "sent": day,
        "minute": draw.randint(8 * 60, 17 * 60 - 1),
        "priority": priority,
        "due": day + window,
        "need": _pick(draw, _NEEDS),
        "away": away,
        "never": [draw.randint(0, 4)] if draw.random() < 0.15 else [],
        "notice": 1 if is_urgent else int(_pick(draw, {"1": 0.7, "3": 0.2, "7": 0.1})),
    }


def _tries(draw: Random) -> list[list[float]]:
    return [[round(draw.random(), 6), round(draw.random(), 6), draw.randint(1, 5)] for _ in range(_TRIES)]


def _pick(draw: Random, shares: dict[str, float]) -> str:
    return draw.choices(list(shares), weights=list(shares.values()))[0]


def _poisson(draw: Random, mean: float) -> int:
    """Draw from a Poisson distribution by the times between events; small means only."""
    if mean <= 0:
        return 0
    number, left = 0, mean
    while (left := left + math.log(1 - draw.random())) > 0:
        number += 1
    return number
