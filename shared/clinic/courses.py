"""The course of a programme: in which weeks which disciplines give how many sessions.

A clinic writes `phases`, or `sessions` of one discipline, which is a course of one phase. A `total` bounds
the sessions of a discipline whatever its phases say; alone it is a course, spread over the programme.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

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


WEEKS_OF_A_YEAR, MONTHS_OF_A_YEAR = 52, 12


class Phase(Part):
    """So many weeks, and how many sessions each discipline gives in every one of them.

    A phase of so many `months` has these in one week of every month (`visits: monthly`). An intensive
    programme says on how many `days` of a week the patient comes, and how many `hours` a day takes at most.
    """

    weeks: int | None = Field(ge=1, le=52, default=None)
    months: int | None = Field(ge=1, le=12, default=None)
    visits: Literal["monthly"] | None = None
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

    @property
    def with_sessions(self) -> list[bool]:
        """Of each of its weeks whether it has sessions: all have, or the first one of every month."""
        if self.months is None:
            return [True] * (self.weeks or 0)
        begins = {month * WEEKS_OF_A_YEAR // MONTHS_OF_A_YEAR for month in range(self.months)}
        return [week in begins for week in range(self.months * WEEKS_OF_A_YEAR // MONTHS_OF_A_YEAR)]


class Total(Part):
    """How many sessions a discipline gives at the most, whatever phases and payers say."""

    pt: int | None = Field(ge=1, le=200, default=None)
    ot: int | None = Field(ge=1, le=200, default=None)
    psy: int | None = Field(ge=1, le=200, default=None)
    phys: int | None = Field(ge=1, le=200, default=None)
    pain: int | None = Field(ge=1, le=200, default=None)

    @property
    def most(self) -> dict[Discipline, int]:
        """The bound of each discipline that has one."""
        named = ((discipline, getattr(self, name)) for name, discipline in SHORT_NAMES.items())
        return {discipline: int(count) for discipline, count in named if count is not None}


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

    def weeks_apart(self, discipline: str) -> int:
        """Return how many weeks lie between the last two weeks in which a discipline gives sessions."""
        given = [number for number, week in enumerate(self.weeks) if discipline in week.sessions]
        return given[-1] - given[-2] if len(given) > 1 else 1

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
    phases: Sequence[Phase],
    *,
    total: Total | None,
    treatments: Sequence[Visit],
    groups: Sequence[str],
    reviews: Reviews | None,
) -> Course:
    """Read phases as a course: a group meets once in each week that has sessions, a review is in the weeks
    that it names. A discipline has no more sessions than its total.
    """
    weeks: list[CourseWeek] = []
    left = Counter(total.most if total else {})
    bounded = set(left)
    for phase in phases:
        for has_sessions in phase.with_sessions:
            given = phase.per_week if has_sessions else {}
            sessions = {one: min(n, left[one]) if one in bounded else n for one, n in given.items()}
            left.subtract(sessions)
            sessions = {one: count for one, count in sessions.items() if count}
            visits = dict.fromkeys(groups if sessions else (), 1)
            if reviews is not None and len(weeks) + 1 in reviews.weeks:
                visits[reviews.visit] = 1
            weeks.append(CourseWeek(sessions=sessions, visits=visits, days=phase.days, hours=phase.hours))
    return _with_treatments(weeks, treatments)


def course_of_total(total: Total, *, weeks: int, treatments: Sequence[Visit]) -> Course:
    """Spread the sessions of a total evenly over so many weeks, from the first one on."""
    each: list[dict[Discipline, int]] = [{} for _ in range(weeks)]
    for discipline, count in total.most.items():
        for number in range(count):
            week = each[number * weeks // count]
            week[discipline] = week.get(discipline, 0) + 1
    return _with_treatments([CourseWeek(sessions=sessions, visits={}) for sessions in each], treatments)


def _with_treatments(weeks: Sequence[CourseWeek], treatments: Sequence[Visit]) -> Course:
    given = {discipline for week in weeks for discipline in week.sessions}
    return Course(
        weeks=weeks, treatments={one.discipline: one for one in treatments if one.discipline in given}
    )
