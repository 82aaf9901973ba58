"""How first visits get their days: the policy of a clinic, and its numbers (docs/scheduling.md)."""

from datetime import time
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from shared.clinic.part import Id, Part, WallTime


class SchedulingPolicy(StrEnum):
    """By which policy first visits get their days."""

    EARLIEST = "earliest"
    CARVE_OUT = "carve-out"
    PLAN = "plan"


class Telling(Part):
    """When a planned day is told: after so many working days without one, or so many days ahead of it."""

    within_working_days: int | None = Field(ge=0, le=20, default=None)
    days_ahead: int | None = Field(ge=1, le=28, default=None)

    @model_validator(mode="after")
    def _says_one(self) -> Self:
        if (self.within_working_days is None) == (self.days_ahead is None):
            raise ValueError("say within_working_days or days_ahead, one of them")
        return self


class Offers(Part):
    """How a freed first visit is offered to patients who have a later one: to so many `at_once`, who have
    `hold_minutes` to answer, between two times of the site's wall clock.
    """

    at_once: int = Field(ge=1, le=10, default=3)
    hold_minutes: int = Field(ge=15, le=240, default=60)
    earliest: WallTime = time(9)
    latest: WallTime = time(20)

    @model_validator(mode="after")
    def _leaves_time(self) -> Self:
        minutes = [at.hour * 60 + at.minute for at in (self.earliest, self.latest)]
        if minutes[1] - minutes[0] < self.hold_minutes:
            raise ValueError("latest must lie at least hold_minutes after earliest")
        return self


class Scheduling(Part):
    """How first visits get their days.

    The plan is made every evening `at` this time of the site's wall clock, looks so many days ahead, and
    tells a day once it lies within `commit_days` or as `tell` says. While the window of a promise is used
    less than `at_once_below`, the carve-out books at once. `expected_per_week` says how many referrals of a
    programme are expected until the clinic's own weeks say it; `missed` is the share of visits to which
    nobody comes. A time that somebody holds to book it is theirs for `hold_minutes`. Where there are
    `offers`, a freed time that nobody without a day takes is offered.
    """

    policy: SchedulingPolicy = SchedulingPolicy.EARLIEST
    at_once_below: float = Field(ge=0, le=2, default=0.8)
    tell: Telling = Telling(within_working_days=2)
    commit_days: int = Field(ge=0, le=28, default=5)
    look_ahead_days: int = Field(ge=7, le=84, default=42)
    at: WallTime = time(18)
    iterations: int = Field(ge=1_000, default=500_000)
    missed: float = Field(ge=0, lt=1, default=0.1)
    hold_minutes: int = Field(ge=1, le=120, default=10)
    offers: Offers | None = None
    expected_per_week: dict[Id, float] = Field(default_factory=dict)
