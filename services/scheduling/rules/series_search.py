"""A series of several disciplines, week by week: everything that its course asks for, or what is missing.

Invariants:
- Each week of the course is one local week; a week without room is left out, and the course goes on in the
  next one, as far as the window reaches. Weeks of the course without sessions lie between its others.
- A strand stays with one usual clinician; a colleague stands in where a week has no room otherwise. Of the
  plans that are whole the one with the fewest weeks, then the fewest substitutes, is taken.
- A strand keeps the weekday and the wall-clock time that are free in most weeks, over daylight saving too.
- The same input gives the same plan, and no more than so many starts are tried for it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from itertools import islice, product
from typing import Any

from services.scheduling.models.spans import Span
from services.scheduling.rules.candidates import Candidate
from services.scheduling.rules.quarter_grid import QuarterGrid, bits_of
from services.scheduling.rules.series_strands import Occupied, Strand, StrandStarts
from services.scheduling.rules.series_week import Budget, Start, WeekDemand, solve, widest_gap

_MOST_TRIED = 40_000
_MOST_COMBINATIONS = 12
_TRIED_FOR_A_BLOCK = 60_000
Usual = Mapping[str, str | None]


@dataclass(frozen=True, kw_only=True)
class CourseBounds:
    """On how many days of each week of the course the patient comes, and for how many hours of a day."""

    days: Sequence[int | None]
    hours: Sequence[int | None]


@dataclass(frozen=True, kw_only=True)
class PlannedVisit:
    """A visit of a planned series: of which strand, and where it lies."""

    strand: Strand
    place: Candidate


@dataclass(frozen=True, kw_only=True)
class NoWeek:
    """No whole series fits: which strand has no room in which week (its Monday), after how many visits.

    `begins` is the Monday of the earliest week in which the whole course has room, where that was looked for.
    """

    strand: Strand
    week: date
    planned: Sequence[PlannedVisit]
    begins: date | None = None


@dataclass
class _Plan:
    visits: list[PlannedVisit]
    weeks: int
    substitutes: int
    missing: tuple[int, date] | None = None

    @property
    def rank(self) -> tuple[bool, int, int, int]:
        """The smaller the better: whole first, then the farthest, the shortest, the fewest substitutes."""
        is_broken = self.missing is not None
        return (is_broken, -len(self.visits) if is_broken else 0, self.weeks, self.substitutes)


class SeriesSearch:
    """The search for one series in a window; `bounds` has as many weeks as the strands have."""

    def __init__(
        self, strands: Sequence[Strand], *, bounds: CourseBounds, window: Span, occupied: Occupied
    ) -> None:
        self._strands, self._bounds = strands, bounds
        self._walls: dict[int, time] = {}
        self._grid = QuarterGrid(window, strands[0].need.site.zone)
        self._starts = {one.key: StrandStarts(one, self._grid, occupied) for one in strands}
        self._course = [
            number for number in range(len(bounds.days)) if any(one.per_week[number] for one in strands)
        ]

    def run(self) -> list[PlannedVisit] | NoWeek:
        """Plan the whole series, or say what is missing first."""
        best: _Plan | None = None
        budget = Budget(_MOST_TRIED)
        for usual in self._combinations():
            plan = self._plan(usual, budget)
            if best is None or plan.rank < best.rank:
                best = plan
            if (best.missing, best.substitutes, best.weeks) == (None, 0, self._span):
                break
        if best is None or best.missing is None:
            return [] if best is None else sorted(best.visits, key=lambda visit: visit.place.span.start)
        number, monday = best.missing
        return NoWeek(strand=self._missing(number, monday), week=monday, planned=best.visits)

    def earliest_block(self) -> date | None:
        """Find the Monday of the first week from which on the course has room, week after week."""
        budget, known = Budget(_TRIED_FOR_A_BLOCK), dict[tuple[int, date], bool]()
        mondays = self._grid.mondays
        for first in range(len(mondays) - self._span + 1):
            weeks = [(number, mondays[first + number - self._course[0]]) for number in self._course]
            if all(self._has_room(number, monday, budget, known) for number, monday in weeks):
                return mondays[first]
        return None

    @property
    def _span(self) -> int:
        """How many weeks the course takes where none is left out, those without sessions too."""
        return self._course[-1] - self._course[0] + 1 if self._course else 0

    def _has_room(
        self, number: int, monday: date, budget: Budget, known: dict[tuple[int, date], bool]
    ) -> bool:
        demand = self._demand(number)
        alike = next(one for one in self._course if self._demand(one) == demand)
        if (alike, monday) not in known:
            masks = {key: starts.anybody for key, starts in self._starts.items()}
            found = self._solve(number, monday, masks, {}, gap=1, budget=budget)
            known[alike, monday] = found is not None
        return known[alike, monday]

    def _combinations(self) -> Iterator[Usual]:
        people: list[tuple[str, list[str | None]]] = [
            (key, [*starts.people] or [None]) for key, starts in self._starts.items()
        ]
        ranked = sorted(
            product(*(range(len(able)) for _, able in people)), key=lambda ranks: (sum(ranks), ranks)
        )
        for ranks in islice(ranked, _MOST_COMBINATIONS):
            yield {key: able[rank] for (key, able), rank in zip(people, ranks, strict=True)}

    def _plan(self, usual: Usual, budget: Budget) -> _Plan:
        plan = _Plan(visits=[], weeks=0, substitutes=0)
        liked = {key: self._liked(starts.with_person(usual[key])) for key, starts in self._starts.items()}
        left, failed, not_before = list(self._course), None, 0
        for place, monday in enumerate(self._grid.mondays):
            if not left:
                break
            plan.weeks += 1
            if place < not_before:
                continue
            found = self._week(left[0], monday, usual=usual, liked=liked, budget=budget)
            if found is None:
                # The first week may have begun already; what has no room in a whole one is to be named.
                failed = failed if failed and not self._is_partial(failed[1]) else (left[0], monday)
                continue
            failed = None
            number = left.pop(0)
            not_before = place + left[0] - number if left else 0
            self._take(plan, found, usual=usual, liked=liked)
        if left:
            plan.missing = failed or (left[0], self._grid.mondays[-1] if self._grid.mondays else date.min)
        return plan

    def _is_partial(self, monday: date) -> bool:
        return monday < self._grid.origin.astimezone(self._grid.zone).date()

    def _take(
        self,
        plan: _Plan,
        found: Mapping[str, Sequence[Start]],
        *,
        usual: Usual,
        liked: Mapping[str, Counter[tuple[int, time]]],
    ) -> None:
        for key, starts in found.items():
            for day, bit in starts:
                place = self._starts[key].place(bit, usual=usual[key])
                plan.substitutes += place.person != usual[key]
                plan.visits.append(PlannedVisit(strand=self._starts[key].strand, place=place))
                # What the series has already is what it keeps.
                liked[key][day, self._wall(bit)] += len(self._grid.mondays)

    def _week(
        self,
        number: int,
        monday: date,
        *,
        usual: Usual,
        liked: Mapping[str, Counter[tuple[int, time]]],
        budget: Budget,
    ) -> dict[str, list[Start]] | None:
        own = {key: starts.with_person(usual[key]) for key, starts in self._starts.items()}
        others = {key: starts.anybody for key, starts in self._starts.items()}
        for masks in (own, others):
            for gap in range(self._widest(number), 0, -1):
                found = self._solve(number, monday, masks, liked, gap=gap, budget=budget)
                if found is not None:
                    return found
            if masks == others:
                break
        return None

    def _solve(
        self,
        number: int,
        monday: date,
        masks: Mapping[str, int],
        liked: Mapping[str, Counter[tuple[int, time]]],
        *,
        gap: int,
        budget: Budget,
    ) -> dict[str, list[Start]] | None:
        def order(key: str, start: Start) -> tuple[Any, ...]:
            day, bit = start
            wall = self._wall(bit)
            times = liked[key][day, wall] if key in liked else 0
            return (-times, wall.minute != 0, wall, day)

        days = self._grid.days_of(monday)
        return solve(self._demand(number), masks=masks, days=days, order=order, gap=gap, budget=budget)

    def _demand(self, number: int) -> WeekDemand:
        return WeekDemand(
            counts={one.key: one.per_week[number] for one in self._strands},
            quarters={one.key: one.quarters for one in self._strands},
            days=self._bounds.days[number],
            hours=self._bounds.hours[number],
        )

    def _widest(self, number: int) -> int:
        return max(widest_gap(one.per_week[number]) for one in self._strands if one.per_week[number])

    def _missing(self, number: int, monday: date) -> Strand:
        """Name the strand that alone has no room in a week, else the one with the fewest starts in it."""
        days = self._grid.days_of(monday)
        wanted = [one for one in self._strands if one.per_week[number]]

        def room(strand: Strand) -> tuple[bool, float]:
            mask = self._starts[strand.key].anybody
            free = [mask & quarters for quarters in days]
            enough = sum(1 for one in free if one) >= strand.per_week[number]
            return (enough, sum(one.bit_count() for one in free) / strand.per_week[number])

        return min(wanted, key=room)

    def _liked(self, mask: int) -> Counter[tuple[int, time]]:
        """Count in how many weeks each weekday and wall-clock time is free."""
        found: Counter[tuple[int, time]] = Counter()
        for monday in self._grid.mondays:
            for day, quarters in enumerate(self._grid.days_of(monday)):
                found.update((day, self._wall(bit)) for bit in bits_of(mask & quarters))
        return found

    def _wall(self, bit: int) -> time:
        known = self._walls.get(bit)
        if known is None:
            known = self._walls[bit] = self._grid.moment(bit).astimezone(self._grid.zone).time()
        return known
