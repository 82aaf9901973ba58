"""Time as bits: one for each quarter of an hour of a window, so that whole weeks are compared at once.

Invariant: the grid is laid over moments, not over the wall clock; days and weeks of the site are ranges of
bits, which are as long as these days really are.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

from services.scheduling.models.spans import Span
from services.scheduling.rules.calendar import DAY, local_day_start
from services.scheduling.rules.notice import STEP

_WEEK = 7


@dataclass(frozen=True)
class QuarterGrid:
    """The quarters of an hour of a window at a site; the bit 0 is the first that lies wholly in it."""

    window: Span
    zone: ZoneInfo

    @cached_property
    def origin(self) -> datetime:
        """When the bit 0 begins."""
        step = STEP.total_seconds()
        behind = self.window.start.timestamp() % step
        return self.window.start + (timedelta(seconds=step - behind) if behind else timedelta())

    @cached_property
    def size(self) -> int:
        """How many quarters there are."""
        return max(0, (self.window.end - self.origin) // STEP)

    @cached_property
    def all(self) -> int:
        """Every quarter."""
        return (1 << self.size) - 1

    def moment(self, bit: int) -> datetime:
        """Return when a quarter begins."""
        return self.origin + bit * STEP

    def inside(self, spans: Iterable[Span]) -> int:
        """Mark the quarters that lie wholly in these times."""
        return self._marked(
            (-((self.origin - one.start) // STEP), (one.end - self.origin) // STEP) for one in spans
        )

    def touched(self, spans: Iterable[Span]) -> int:
        """Mark the quarters of which these times take something."""
        return self._marked(
            ((one.start - self.origin) // STEP, -((self.origin - one.end) // STEP)) for one in spans
        )

    def bit_of(self, moment: datetime) -> int:
        """Return the first quarter that begins at a moment or later."""
        return min(max(-((self.origin - moment) // STEP), 0), self.size)

    @cached_property
    def mondays(self) -> list[date]:
        """The local weeks that the window touches, by their Mondays."""
        if not self.size:
            return []
        first = self.origin.astimezone(self.zone).date()
        last = (self.window.end - timedelta(microseconds=1)).astimezone(self.zone).date()
        monday = first - DAY * first.weekday()
        return [monday + timedelta(weeks=number) for number in range((last - monday).days // _WEEK + 1)]

    def days_of(self, monday: date) -> list[int]:
        """Return the quarters of each day of a local week."""
        bounds = [
            self.bit_of(local_day_start(monday + DAY * number, self.zone)) for number in range(_WEEK + 1)
        ]
        return [(1 << end) - (1 << start) for start, end in pairwise(bounds)]

    def _marked(self, ranges: Iterable[tuple[int, int]]) -> int:
        found = 0
        for start, end in ranges:
            begins, ends = min(max(start, 0), self.size), min(max(end, 0), self.size)
            if begins < ends:
                found |= (1 << ends) - (1 << begins)
        return found


def starts_in(free: int, *, quarters: int, before: int = 0, after: int = 0) -> int:
    """Mark the quarters at which something of a length begins that has all its quarters free.

    `before` and `after` are how many quarters beside it are needed too.
    """
    found = free
    for number in range(1, before + quarters + after):
        found &= free >> number
    return found << before


def bits_of(mask: int) -> Iterator[int]:
    """Go through the marked quarters, the earliest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
