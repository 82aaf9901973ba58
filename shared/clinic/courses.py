"""The course of a programme: in which weeks which disciplines give how many sessions.

A clinic writes `phases`, or `sessions` of one discipline, which is a course of one phase.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from shared.clinic.part import Id, Part
from shared.clinic.visits import Discipline, Sessions, Visit

# How a phase names a discipline.
SHORT_NAMES: Mapping[str, Discipline] = {
    "pt": Discipline.PHYSIOTHERAPY,
    "ot": Discipline.OCCUPATIONAL_THERAPY,
    "psy": Discipline.PSYCHOLOGY,
    "phys": Discipline.PHYSIATRY,
    "pain": Discipline.PAIN_MEDICINE,
}


class Phase(Part):
    """So many weeks, and how many sessions each discipline gives in every one of them.

    An intensive programme says on how many `days` of a week the patient comes, and how many `hours` a day
    takes at the most.
    """

    weeks: int = Field(ge=1, le=52)
    days: int | None = Field(ge=1, le=7, default=None)
    hours: int | None = Field(ge=1, le=10, default=None)
    pt: int = Field(ge=0, le=7, default=0)
    ot: int = Field(ge=0, le=7, default=0)
    psy: int = Field(ge=0, le=7, default=0)
    phys: int = Field(ge=0, le=7, default=0)
    pain: int = Field(ge=0, le=7, default=0)

    @property
    def per_week(self) -> dict[Discipline, int]:
        """How many sessions of a week each discipline gives; one that gives none is left out."""
        counts = {discipline: int(getattr(self, name)) for name, discipline in SHORT_NAMES.items()}
        return {discipline: count for discipline, count in counts.items() if count}


class Reviews(Part):
    """Which visit of the programme is its review, and in which weeks of the course there is one."""

    visit: Id
    weeks: tuple[int, ...] = Field(min_length=1)


@dataclass(frozen=True, kw_only=True)
class CourseWeek:
    """One week of a course: sessions by discipline, visits by name, and the bounds of an intensive one."""

    sessions: Mapping[Discipline, int]
    visits: Mapping[str, int]
    days: int | None = None
    hours: int | None = None


@dataclass(frozen=True, kw_only=True)
class Course:
    """A course week by week, and what one session of each discipline needs."""

    weeks: Sequence[CourseWeek]
    treatments: Mapping[Discipline, Visit]

    @property
    def totals(self) -> dict[Discipline, int]:
        """How many sessions each discipline gives in all, in the order of the treatments."""
        return {one: sum(week.sessions.get(one, 0) for week in self.weeks) for one in self.treatments}

    def most_per_week(self, discipline: str) -> int:
        """Return how many sessions of a discipline a week has at the most."""
        return max(
            (n for week in self.weeks for one, n in week.sessions.items() if one == discipline), default=0
        )

    @property
    def is_of_one_pace(self) -> bool:
        """Whether one discipline gives all of it at one pace, and nothing else belongs to it."""
        *before, last = [sum(week.sessions.values()) for week in self.weeks]
        is_even = len({*before, last}) == 1 or (len(set(before)) == 1 and last < before[0])
        bounded = any(week.days or week.visits for week in self.weeks)
        return len(self.treatments) == 1 and is_even and not bounded


def course_of_sessions(sessions: Sessions) -> Course:
    """Read a series of one discipline as a course."""
    whole, rest = divmod(sessions.count, sessions.per_week)
    counts = [sessions.per_week] * whole + ([rest] if rest else [])
    weeks = [CourseWeek(sessions={sessions.discipline: count}, visits={}) for count in counts]
    return Course(weeks=weeks, treatments={sessions.discipline: sessions})


def course_of_phases(
    phases: Sequence[Phase], *, treatments: Sequence[Visit], groups: Sequence[str], reviews: Reviews | None
) -> Course:
    """Read phases as a course; every group meets once a week, a review is in the weeks that it names."""
    weeks: list[CourseWeek] = []
    for phase in phases:
        for _ in range(phase.weeks):
            visits = dict.fromkeys(groups, 1)
            if reviews is not None and len(weeks) + 1 in reviews.weeks:
                visits[reviews.visit] = 1
            week = CourseWeek(sessions=phase.per_week, visits=visits, days=phase.days, hours=phase.hours)
            weeks.append(week)
    given = {discipline for week in weeks for discipline in week.sessions}
    return Course(
        weeks=weeks, treatments={one.discipline: one for one in treatments if one.discipline in given}
    )
