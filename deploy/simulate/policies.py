"""The policies by which a simulated clinic gives days: the very rules of scheduling, three ways."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Protocol

from services.scheduling.models.demand import (
    DayBook,
    ExpectedArrivals,
    Outlook,
    PlanTerms,
    Terms,
    Told,
    Unscheduled,
)
from services.scheduling.rules import carve_out, evening_plan

_DAY = timedelta(days=1)
# Four weeks, whatever the priority: what the rule before priorities promised everybody.
_FOUR_WEEKS = 28
TERMS = {
    "asap": Terms(days=5, weight=20, reserve=0.16, kept_until=1, more=1.4),
    "urgent": Terms(days=10, weight=5, reserve=0.26, kept_until=3, more=1.1),
    "routine": Terms(days=28, weight=1),
}


class Policy(Protocol):
    """Gives days; what it returns is booked and told."""

    @property
    def terms(self) -> PlanTerms:
        """What each priority is promised, and what is known of the clinic."""
        ...

    def at_once(self, who: Unscheduled, book: DayBook, *, today: date) -> Told | None:
        """Give a day to who has just come, or has just lost a visit."""
        ...

    def in_the_evening(self, waiting: Sequence[Unscheduled], book: DayBook, *, today: date) -> Iterator[Told]:
        """Give days to some of those who have none."""
        ...


@dataclass(frozen=True, kw_only=True)
class Earliest:
    """The earliest free time within four weeks for everybody, whoever comes first."""

    terms: PlanTerms

    def at_once(self, who: Unscheduled, book: DayBook, *, today: date) -> Told | None:
        """Give the earliest day of the four weeks."""
        until = who.sent_on + _DAY * _FOUR_WEEKS
        if today >= until:
            until = today + _DAY * self.terms.second_days
        return carve_out.earliest(who, book, terms=self.terms, today=today, until=until, reserved=False)

    def in_the_evening(self, waiting: Sequence[Unscheduled], book: DayBook, *, today: date) -> Iterator[Told]:
        """Try again for everybody, who is due first first."""
        yield from _in_turn(self, waiting, book, today=today)


@dataclass(frozen=True, kw_only=True)
class CarveOut:
    """The earliest day within the promise of its priority, of which a part is kept for higher ones."""

    terms: PlanTerms

    def at_once(self, who: Unscheduled, book: DayBook, *, today: date) -> Told | None:
        """Give the earliest day in time; who is late gets any day at all."""
        if today < who.due_on:
            return carve_out.earliest(who, book, terms=self.terms, today=today, until=who.due_on)
        until = today + _DAY * self.terms.second_days
        return carve_out.earliest(who, book, terms=self.terms, today=today, until=until)

    def in_the_evening(self, waiting: Sequence[Unscheduled], book: DayBook, *, today: date) -> Iterator[Told]:
        """Try again for everybody, who is due first first."""
        yield from _in_turn(self, waiting, book, today=today)


@dataclass(kw_only=True)
class EveningPlan:
    """Days at once for who has few left, and by one plan every evening for all others."""

    terms: PlanTerms
    expected: "Expectation"
    failures: list[str] = field(default_factory=list)

    def at_once(self, who: Unscheduled, book: DayBook, *, today: date) -> Told | None:
        """Give a day to who has few days left."""
        return evening_plan.at_once(who, book, terms=self.terms, today=today)

    def in_the_evening(self, waiting: Sequence[Unscheduled], book: DayBook, *, today: date) -> Iterator[Told]:
        """Plan for all who wait, and tell those whose day is near or who waited long enough."""
        if not waiting:
            return
        outlook = Outlook(
            book=book,
            waiting=waiting,
            expected=self.expected.from_day(today, self.terms.look_ahead),
            terms=self.terms,
            today=today,
        )
        evening = evening_plan.evening(outlook)
        if evening.failure is not None:
            self.failures.append(evening.failure)
        yield from evening.told


class Expectation(Protocol):
    """Knows how many are expected."""

    def from_day(self, today: date, days: int) -> ExpectedArrivals:
        """Say how many are expected on each of the days after today."""
        ...


def _in_turn(policy: Policy, waiting: Sequence[Unscheduled], book: DayBook, *, today: date) -> Iterator[Told]:
    for who in sorted(waiting, key=lambda one: (one.due_on, one.sent_on, one.id)):
        if (told := policy.at_once(who, book, today=today)) is not None:
            yield told
