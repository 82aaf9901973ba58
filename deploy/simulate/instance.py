"""A simulated clinic: who works when, and who is referred; days are whole numbers from a Monday.

Invariants:
- What is hidden from a policy is an object of its own: no policy gets it, or anything that has it.
- Priorities are FHIR's: the study's urgent, semi and routine are asap, urgent and routine.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

FORMAT = "lumbar-arrivals/1"
PRIORITIES = {"urgent": "asap", "semi": "urgent", "routine": "routine"}
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)


class NoInstance(Exception):
    """The file is no instance; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedClinician:
    """Somebody who takes visits of these needs: so many on each weekday, none while on leave."""

    id: str
    takes: tuple[str, ...]
    slots: tuple[int, ...]
    leave: tuple[tuple[date, date], ...]

    def visits_on(self, day: date) -> int:
        """Count the visits of a day, closed days aside."""
        away = any(first <= day <= last for first, last in self.leave)
        return 0 if away else self.slots[day.weekday()]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedReferral:
    """A referral: when it is sent, by when it is promised a visit, and when the patient cannot come."""

    id: str
    sent_on: date
    minute: int
    priority: str
    due_on: date
    need: str
    away: tuple[tuple[date, date], ...]
    never: frozenset[int]
    notice: int

    def can_come(self, day: date) -> bool:
        """Tell whether the patient can come on a day."""
        return day.weekday() not in self.never and not any(first <= day <= last for first, last in self.away)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a clinic knows beforehand: how many are sent on a working day, of which kinds, who stays away."""

    per_working_day: float
    by_weekday: tuple[float, ...]
    priorities: Mapping[str, float]
    needs: Mapping[str, float]
    missed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """What a policy may see: the clinic, what it knows, and the referrals as they come."""

    name: str
    first_day: date
    days: int
    scored: tuple[date, date]
    closed: frozenset[date]
    clinicians: tuple[SimulatedClinician, ...]
    known: Known
    referrals: tuple[SimulatedReferral, ...]

    def is_working(self, day: date) -> bool:
        """Tell whether the clinic works on a day."""
        return day.weekday() < 5 and day not in self.closed


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What becomes of one visit of a referral: draws of calling off and of not coming, and how early."""

    cancel: float
    miss: float
    days_ahead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """What nobody knows before it happens: who falls sick, who calls off, who does not come."""

    sick: frozenset[tuple[str, date]]
    tries: Mapping[str, Sequence[Attempt]]
    cancels: float
    misses: float
    miss_slope: float

    def attempt(self, referral: str, number: int) -> Attempt:
        """Return what becomes of a visit; after the last draw everybody comes."""
        tries = self.tries.get(referral, ())
        return tries[number] if number < len(tries) else Attempt(cancel=1, miss=1, days_ahead=0)


def load(path: Path) -> tuple[Instance, Hidden]:
    """Read an instance from a file. Raises NoInstance."""
    try:
        return read(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoInstance(f"{path.name} is no {FORMAT}: {type(error).__name__} {error}") from error


def read(data: Mapping[str, Any]) -> tuple[Instance, Hidden]:
    """Make an instance, and what is hidden in it, of what its file says."""
    if data.get("format") != FORMAT:
        raise NoInstance(f"the format is {data.get('format')!r}, not {FORMAT}")
    begins = date.fromisoformat(data["day0"])

    def day(number: int) -> date:
        return begins + _DAY * number

    def spans(given: Sequence[Sequence[int]]) -> tuple[tuple[date, date], ...]:
        return tuple((day(first), day(last)) for first, last in given)

    first, last = data["score_days"]
    instance = Instance(
        name=data["name"],
        first_day=begins,
        days=data["days"],
        scored=(day(first), day(last)),
        closed=frozenset(day(number) for number in data["closed"]),
        clinicians=tuple(
            SimulatedClinician(
                id=one["id"],
                takes=tuple(one["takes"]),
                slots=tuple(one["slots"][weekday] for weekday in _WEEKDAYS),
                leave=spans(one["leave"]),
            )
            for one in data["clinicians"]
        ),
        known=_known(data["known"]),
        referrals=tuple(
            SimulatedReferral(
                id=one["id"],
                sent_on=day(one["sent"]),
                minute=one["minute"],
                priority=PRIORITIES[one["priority"]],
                due_on=day(one["due"]),
                need=one["need"],
                away=spans(one["away"]),
                never=frozenset(one["never"]),
                notice=one["notice"],
            )
            for one in data["referrals"]
        ),
    )
    hidden, behaviour = data["hidden"], data["behaviour"]
    return instance, Hidden(
        sick=frozenset((who, day(number)) for who, number in hidden["sick"]),
        tries={
            id: [Attempt(cancel=cancel, miss=miss, days_ahead=ahead) for cancel, miss, ahead in tries]
            for id, tries in hidden["tries"].items()
        },
        cancels=behaviour["p_cancel"],
        misses=behaviour["p_miss"],
        miss_slope=behaviour["miss_slope"],
    )


def _known(data: Mapping[str, Any]) -> Known:
    return Known(
        per_working_day=data["referrals_per_working_day"],
        by_weekday=tuple(data["by_weekday"][weekday] for weekday in _WEEKDAYS),
        priorities={PRIORITIES[code]: share for code, share in data["priorities"].items()},
        needs=data["needs"],
        missed=data["missed"],
    )
