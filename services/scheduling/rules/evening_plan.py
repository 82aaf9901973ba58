"""The plan of an evening: a day for everybody who has none, with those in mind who are still to come.

Invariants:
- Nobody who was told a day is in it: what they have is taken, and stays theirs.
- No day gets more visits than it has free; a day is told only while a visit of it is free.
- Who has few days left and can still be seen in time does not wait for an evening (`at_once`).
- The same input gives the same plan: one thread, no clock, no chance.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.scheduling.models.demand import (
    DayBook,
    ExpectedArrivals,
    Group,
    Outlook,
    PlanTerms,
    Told,
    Unscheduled,
)
from services.scheduling.rules import carve_out
from services.scheduling.rules.linear_program import NotOptimal, Program

_DAY = timedelta(days=1)
# What is expected is counted as a little more: too few free visits harm more than one too many.
_MORE = 1.12
_A_DAY_EARLIER = 0.004
# So many days are needed to try again before the due day after nobody came.
_SECOND_TRY = 4
_NOT_PLACED = 2.0
# A day that never comes is told to who waited long enough, and to nobody else.
_NO_PLACE: tuple[Group, date] = ("", date.max)
# How far ahead a late day is looked for, where the program knows of none.
_FARTHEST = 112


@dataclass(frozen=True, slots=True, kw_only=True)
class Evening:
    """What an evening tells, who waited long enough and got no day, and why there was no plan, if so.

    `is_late` says of each who goes on waiting whether the plan has no day for them in time; without a plan it
    says it of nobody.
    """

    told: Sequence[Told]
    unplaced: Sequence[Unscheduled]
    is_late: Mapping[str, bool]
    failure: str | None = None


def at_once(who: Unscheduled, book: DayBook, *, terms: PlanTerms, today: date) -> Told | None:
    """Give a day at once to whom no evening may be waited for, None to all others.

    Who has few days left gets the earliest day in time, of which nothing is kept for others. A priority whose
    whole promise is so short gets the earliest day at all where none is in time. Of the others the plan knows
    which late day harms least: the next one may be the last in time for somebody else.
    """
    if not is_pressing(who, today=today, terms=terms):
        return None
    found = carve_out.earliest(who, book, terms=terms, today=today, until=who.due_on, reserved=False)
    if found is not None or not never_waits(who, terms=terms):
        return found
    last = today + _DAY * terms.second_days
    return carve_out.earliest(who, book, terms=terms, today=today, until=last, reserved=False)


def never_waits(who: Unscheduled, *, terms: PlanTerms) -> bool:
    """Tell whether the whole promise of a referral's priority is so short that no evening is waited for."""
    return terms.priorities[who.priority].days <= terms.commit_days


def is_pressing(who: Unscheduled, *, today: date, terms: PlanTerms) -> bool:
    """Tell whether a referral has few days left to its due day."""
    return (who.due_on - today).days <= terms.commit_days


def is_to_tell(who: Unscheduled, day: date, *, today: date, book: DayBook, terms: PlanTerms) -> bool:
    """Tell whether the planned day is told this evening: it is near, or the patient waited long enough.

    A clinic that tells days so many days ahead lets nobody's waiting make a day known that is farther.
    """
    if (day - today).days <= max(terms.commit_days, who.notice, terms.tell_ahead or 0):
        return True
    if terms.tell_ahead is not None and day != date.max:
        return False
    passed = sum(book.is_working(who.since + _DAY * n) for n in range(1, (today - who.since).days + 1))
    return passed >= terms.tell_after


def plan(
    waiting: Sequence[Unscheduled],
    book: DayBook,
    expected: ExpectedArrivals,
    *,
    terms: PlanTerms,
    today: date,
) -> dict[str, tuple[Group, date]]:
    """Give each referral the day that is best for all together, as far as there is one.

    Raises NotOptimal where the solver did not end with a plan.
    """
    drawn = _Drawing(book, terms=terms, today=today)
    for who in waiting:
        drawn.add_patient(who)
    for sent_on, number in expected.by_day.items():
        if number > 0:
            drawn.add_expected(sent_on, number, expected)
    return drawn.solved()


def evening(outlook: Outlook) -> Evening:
    """Plan, and say which days are told; where the program has no optimal plan, by the carve-out."""
    waiting, book, terms, today = outlook.waiting, outlook.book, outlook.terms, outlook.today
    failure = None
    try:
        planned = plan(waiting, book, outlook.expected, terms=terms, today=today)
    except NotOptimal as error:
        failure = str(error)
        planned = without_program(waiting, book, terms=terms, today=today)
    days = list(told(waiting, planned, book, terms=terms, today=today))
    given = {one.id for one in days}
    unplaced = [
        one
        for one in waiting
        if one.id not in given and is_to_tell(one, date.max, today=today, book=book, terms=terms)
    ]
    settled = given | {one.id for one in unplaced}
    is_late = {
        one.id: planned.get(one.id, _NO_PLACE)[1] > one.due_on for one in waiting if one.id not in settled
    }
    return Evening(
        told=days, unplaced=unplaced, is_late={} if failure is not None else is_late, failure=failure
    )


def without_program(
    waiting: Sequence[Unscheduled], book: DayBook, *, terms: PlanTerms, today: date
) -> dict[str, tuple[Group, date]]:
    """Give days by the carve-out, who is due first first, where there is no plan."""
    free = dict(book.free)
    given: dict[str, tuple[Group, date]] = {}
    for who in _due_first(waiting):
        found = _nearest(who, replace(book, free=free), terms=terms, today=today)
        if found is not None:
            free[found.group, found.day] -= 1
            given[who.id] = (found.group, found.day)
    return given


def told(
    waiting: Sequence[Unscheduled],
    planned: dict[str, tuple[Group, date]],
    book: DayBook,
    *,
    terms: PlanTerms,
    today: date,
) -> Iterator[Told]:
    """Go through the days to tell this evening, those that are due first first; what is told is taken.

    Whose planned day is full meanwhile gets the nearest one that is left to the priority. Who waited long
    enough and has no place in the plan gets a day that harms the others least: no evening after this one may
    tell it.
    """
    free = dict(book.free)
    now = replace(book, free=free)
    for who in _due_first(waiting):
        group, day = planned.get(who.id, _NO_PLACE)
        if not is_to_tell(who, day, today=today, book=book, terms=terms):
            continue
        if free.get((group, day), 0) > 0:
            found: Told | None = Told(id=who.id, group=group, day=day)
        elif who.id in planned:
            found = _nearest(who, now, terms=terms, today=today)
        else:
            found = _farthest(who, now, terms=terms, today=today)
        if found is not None:
            free[found.group, found.day] -= 1
            yield found


def _due_first(waiting: Sequence[Unscheduled]) -> list[Unscheduled]:
    return sorted(waiting, key=lambda one: (one.due_on, one.sent_on, one.id))


def _nearest(who: Unscheduled, book: DayBook, *, terms: PlanTerms, today: date) -> Told | None:
    """Find the earliest day that the carve-out leaves to a referral, however late.

    What is kept for higher priorities stays so, or who is late already takes the last days in time of others.
    """
    last = today + _DAY * _FARTHEST
    return carve_out.earliest(who, book, terms=terms, today=today, until=last)


def _farthest(who: Unscheduled, book: DayBook, *, terms: PlanTerms, today: date) -> Told | None:
    """Find a day for whom the plan has none: there are more patients than visits, and somebody waits longest.

    It is the last day before the end of the second promise that the carve-out leaves, else the last one at
    all: the days before it are for those who can still be seen in time. Without any it is the first one after
    that promise with which the plan of this evening does not count, or any day.
    """
    promised = who.sent_on + _DAY * terms.second_days
    for reserved in (True, False):
        days = list(
            carve_out.open_days(who, book, terms=terms, today=today, until=promised, reserved=reserved)
        )
        if days:
            return days[-1]
    beyond = max(who.notice, (promised - today).days + 1, terms.look_ahead + 1)
    for notice, reserved in ((beyond, True), (beyond, False), (who.notice, False)):
        later, until = replace(who, notice=notice), today + _DAY * (notice + _FARTHEST)
        if found := carve_out.earliest(later, book, terms=terms, today=today, until=until, reserved=reserved):
            return found
    return None


class _Drawing:
    """The program of an evening as it is drawn up."""

    def __init__(self, book: DayBook, *, terms: PlanTerms, today: date) -> None:
        self.book, self.terms, self.today = book, terms, today
        self.program = Program()
        self.last = today + _DAY * (terms.look_ahead + 28)
        self._places = {
            place: self.program.place(free)
            for place, free in sorted(book.free.items())
            if free > 0 and today < place[1] <= self.last
        }
        self._patients: list[tuple[str, Group, date]] = []

    def add_patient(self, who: Unscheduled) -> None:
        """Let a referral be given any day on which the patient can come."""
        demand = self.program.demand(1)
        first = self.today + _DAY * max(1, who.notice)
        for place, number in self._open(who.need, first, self._latest(who.sent_on)):
            if who.can_come(place[1]):
                self.program.allow(
                    demand, number, self._worth(who.priority, who.sent_on, who.due_on, place[1])
                )
                self._patients.append((who.id, *place))

    def add_expected(self, sent_on: date, number: float, expected: ExpectedArrivals) -> None:
        """Let those who are expected on a day be given the days after it."""
        for priority, share in expected.priorities.items():
            terms = self.terms.priorities[priority]
            due_on = sent_on + _DAY * terms.days
            for need, part in expected.needs.items():
                demand = self.program.demand(number * share * part * terms.more * _MORE)
                for place, at in self._open(need, sent_on + _DAY, self._latest(sent_on)):
                    self.program.allow(demand, at, self._worth(priority, sent_on, due_on, place[1]))

    def solved(self) -> dict[str, tuple[Group, date]]:
        """Return the day of which each referral gets the most, the earlier where two are equal."""
        amounts = self.program.solved(iterations=self.terms.iterations)
        most: dict[str, tuple[float, Group, date]] = {}
        for (id, group, day), amount in zip(self._patients, amounts, strict=False):
            if amount > most.get(id, (1e-6, "", day))[0] + 1e-9:
                most[id] = (amount, group, day)
        return {id: (group, day) for id, (_, group, day) in most.items()}

    def _latest(self, sent_on: date) -> date:
        return min(max(sent_on + _DAY * self.terms.second_days, self.today + _DAY * 28), self.last)

    def _open(self, need: str, first: date, last: date) -> Iterator[tuple[tuple[Group, date], int]]:
        day = first
        while day <= last:
            for group in self.book.groups[need]:
                if (number := self._places.get((group, day))) is not None:
                    yield (group, day), number
            day += _DAY

    def _worth(self, priority: str, sent_on: date, due_on: date, day: date) -> float:
        weight, missed = self.terms.priorities[priority].weight, self.terms.missed
        worth = weight * (_NOT_PLACED - _A_DAY_EARLIER * (day - self.today).days)
        if day <= due_on:
            again = (due_on - day).days >= _SECOND_TRY
            worth += weight * (1 - missed**2 if again else 1 - missed)
        elif (day - sent_on).days > self.terms.second_days:
            worth -= weight * (_NOT_PLACED - 0.5)
        return worth
