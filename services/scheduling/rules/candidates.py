"""The times at which a visit fits, best first and fairly shared.

Invariants:
- A candidate lies wholly inside working hours, the window and a free room, and wholly outside what the
  clinician and the patient have, the patient's unavailable times, closed days and the meeting hour.
- Candidates come earliest first; at the same time the clinician with the fewest visits comes first, then
  the smaller id, so that the order is the same whoever computes it. Of the free rooms of a time the first
  in the order of clinic.yaml is taken.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge

from services.scheduling.models.spans import NOTHING_TAKEN, Span, Taken
from services.scheduling.rules import free_time
from services.scheduling.rules.calendar import local_days, local_weeks
from services.scheduling.rules.intervals import clipped, is_free, merged, subtracted
from services.scheduling.rules.needs import Need, person_key, room_key
from shared.clinic import Person


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A time at which a clinician and a room are free."""

    person: str
    room: str
    span: Span


class Openings:
    """Where a need can still be met inside `span`, of at most a week; `taken` is what was taken before.

    What one visit takes makes only its clinician and its room be worked out again.
    """

    def __init__(self, need: Need, *, taken: Mapping[str, Iterable[Span]], span: Span) -> None:
        self._need = need
        self._span = span
        self._taken = {resource: list(spans) for resource, spans in taken.items()}
        self._days = tuple(local_days(span, need.site.zone))
        self._free: dict[str, list[Span]] = {}
        self._busy: dict[str, list[Span]] = {}

    def in_order(
        self, *, never: Iterable[Span] = (), barred: Taken = NOTHING_TAKEN, window: Span
    ) -> Iterator[Candidate]:
        """Go through the candidates in a part of the span.

        `never` is when the patient cannot come, `barred` when not with a clinician or in a room.
        """
        closed, bars = merged(never), {resource: merged(spans) for resource, spans in barred.items()}
        each = [self._starts(person, closed, bars, window) for person in self._need.people]
        for start, _, person_id in merge(*each):
            wanted = Span(start, start + self._need.length)
            for room in self._need.rooms:
                key = room_key(room.id)
                if is_free(self._busy_in(key), wanted) and is_free(bars.get(key, ()), wanted):
                    yield Candidate(person=person_id, room=room.id, span=wanted)
                    break

    def first(
        self, *, never: Iterable[Span] = (), barred: Taken = NOTHING_TAKEN, window: Span
    ) -> Candidate | None:
        """Find the best candidate in a part of the span."""
        return next(self.in_order(never=never, barred=barred, window=window), None)

    def take(self, candidate: Candidate) -> None:
        """Count a candidate as taken from now on."""
        for resource in (person_key(candidate.person), room_key(candidate.room)):
            self._taken.setdefault(resource, []).append(candidate.span)
        self._free.pop(candidate.person, None)
        self._busy.pop(room_key(candidate.room), None)

    def _starts(
        self, person: Person, closed: Sequence[Span], bars: Taken, window: Span
    ) -> Iterator[tuple[datetime, int, str]]:
        """Go through the starts at which a clinician is free, as they are compared with those of others."""
        load = load_of(person, taken=self._taken)
        if bar := bars.get(person_key(person.id)):
            closed = [*closed, *bar]
        for span in self._open_to(person, closed, window):
            for start in free_time.starts_in(span, length=self._need.length):
                yield start, load, person.id

    def _open_to(self, person: Person, closed: Sequence[Span], window: Span) -> list[Span]:
        free = self._free.get(person.id)
        if free is None:
            works = self._need.works(person, window=self._span, days=self._days)
            free = self._free[person.id] = free_time.left_of(works, person, taken=self._taken)
        if window != self._span:
            free = clipped(free, window)
        return subtracted(free, closed) if closed else free

    def _busy_in(self, resource: str) -> list[Span]:
        busy = self._busy.get(resource)
        if busy is None:
            busy = self._busy[resource] = merged(self._taken.get(resource, ()))
        return busy


def in_order(
    need: Need, *, taken: Taken, never: Iterable[Span], barred: Taken = NOTHING_TAKEN, window: Span
) -> Iterator[Candidate]:
    """Go through every fitting time, best first, week by week.

    `never` is when the patient cannot come, `barred` when not with a clinician or in a room.
    """
    closed = merged(never)
    for week in local_weeks(window, need.site.zone):
        openings = Openings(need, taken=taken, span=week)
        yield from openings.in_order(never=closed, barred=barred, window=week)


def load_of(person: Person, *, taken: Taken) -> int:
    """Count the visits that a clinician has."""
    return len(taken.get(person_key(person.id), ()))
