"""One week of a series: a start for each of its visits, by backtracking over bits.

Invariants:
- The patient is never in two visits at once; the visits of a strand lie on different days, at least `gap`
  days apart; an intensive week has at most so many days, and each of these at most so many hours.
- The strand with the fewest starts comes first, and starts are tried in the order in which they are wanted.
- At most so many starts are tried: a week that is not found by then counts as having no room.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from services.scheduling.rules.quarter_grid import bits_of

MOST_NODES = 1500
_PER_HOUR = 4
# A start of a strand: the day of the week, 0 for Monday, and the quarter.
Start = tuple[int, int]


@dataclass
class Budget:
    """How many starts may still be tried in all."""

    left: int

    def spend(self) -> bool:
        """Count a start that is tried; False where none may be tried any more."""
        self.left -= 1
        return self.left >= 0


@dataclass(frozen=True, kw_only=True)
class WeekDemand:
    """What is asked of a week: of each strand how many, and how long one takes."""

    counts: Mapping[str, int]
    quarters: Mapping[str, int]
    days: int | None = None
    hours: int | None = None


@dataclass
class _State:
    budget: Budget
    taken: int = 0
    spans: dict[int, tuple[int, int]] = field(default_factory=dict)
    chosen: dict[str, list[Start]] = field(default_factory=dict)


def widest_gap(count: int) -> int:
    """Return how many days apart so many visits of a week should be."""
    return max(1, min(3, 7 // max(count, 1)))


def solve(
    demand: WeekDemand,
    *,
    masks: Mapping[str, int],
    days: Sequence[int],
    order: Callable[[str, Start], tuple[Any, ...]],
    gap: int,
    budget: Budget,
) -> dict[str, list[Start]] | None:
    """Find a start for everything that is asked of a week; None where there is no room.

    `masks` are the starts of each strand, `days` the quarters of each day, `order` sorts the starts.
    """
    wanted = [key for key, count in demand.counts.items() if count]
    starts: dict[str, list[Start]] = {}
    for key in wanted:
        found = [(day, bit) for day, quarters in enumerate(days) for bit in bits_of(masks[key] & quarters)]
        if len({day for day, _ in found}) < demand.counts[key]:
            return None
        starts[key] = sorted(found, key=partial(order, key))
    wanted.sort(key=lambda key: (len(starts[key]) / demand.counts[key], key))
    week = _Week(demand, starts=starts, wanted=wanted, gap=gap)
    state = _State(Budget(min(budget.left, MOST_NODES)))
    before = state.budget.left
    is_found = week.place(state, 0, 0)
    budget.left -= before - max(state.budget.left, 0)
    return state.chosen if is_found else None


@dataclass
class _Week:
    demand: WeekDemand
    starts: Mapping[str, Sequence[Start]]
    wanted: Sequence[str]
    gap: int

    def place(self, state: _State, strand: int, begin: int) -> bool:
        """Place what is left of a strand, from a place in its order on, and all strands behind it."""
        if strand == len(self.wanted):
            return True
        key = self.wanted[strand]
        mine = state.chosen.setdefault(key, [])
        if len(mine) == self.demand.counts[key]:
            return self.place(state, strand + 1, 0)
        starts, length = self.starts[key], self.demand.quarters[key]
        gap = min(self.gap, widest_gap(self.demand.counts[key]))
        for number in range(begin, len(starts)):
            day, bit = starts[number]
            if not state.budget.spend():
                break
            visit = ((1 << length) - 1) << bit
            if visit & state.taken or any(abs(day - other) < gap for other, _ in mine):
                continue
            old = state.spans.get(day)
            new = (bit, bit + length) if old is None else (min(old[0], bit), max(old[1], bit + length))
            if self._is_too_much(state, day, new):
                continue
            state.taken |= visit
            state.spans[day] = new
            mine.append((day, bit))
            if self.place(state, strand, number + 1):
                return True
            mine.pop()
            state.taken ^= visit
            if old is None:
                del state.spans[day]
            else:
                state.spans[day] = old
        return False

    def _is_too_much(self, state: _State, day: int, span: tuple[int, int]) -> bool:
        demand = self.demand
        if demand.days is not None and day not in state.spans and len(state.spans) >= demand.days:
            return True
        return demand.hours is not None and span[1] - span[0] > demand.hours * _PER_HOUR
