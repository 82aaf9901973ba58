"""The free time of one need in a few days, kept up while visit after visit takes of it.

Invariants:
- `first` returns what the first of `candidates.in_order` would be, over the same days and what is taken by
  then; what one visit takes makes only its clinician and its room be worked out again.
"""

from collections.abc import Iterable, Mapping
from heapq import merge

from services.scheduling.models import Span
from services.scheduling.rules import free_time
from services.scheduling.rules.calendar import local_days
from services.scheduling.rules.candidates import Candidate, load_of, starts_of
from services.scheduling.rules.intervals import clipped, is_free, merged, subtracted
from services.scheduling.rules.needs import Need, person_key, room_key
from shared.clinic import Person


class Openings:
    """Where a need can still be met inside `span`, of at most a week; `taken` is what was taken before."""

    def __init__(self, need: Need, *, taken: Mapping[str, Iterable[Span]], span: Span) -> None:
        self._need = need
        self._span = span
        self._taken = {resource: list(spans) for resource, spans in taken.items()}
        self._days = tuple(local_days(span, need.site.zone))
        self._free: dict[str, list[Span]] = {}
        self._busy: dict[str, list[Span]] = {}

    def first(self, *, never: Iterable[Span] = (), window: Span) -> Candidate | None:
        """Find the best candidate in a part of the span; `never` is when the patient cannot come."""
        closed = merged(never)
        each = [
            starts_of(
                person.id,
                self._open_to(person, closed, window),
                load=load_of(person, taken=self._taken),
                need=self._need,
            )
            for person in self._need.people
        ]
        for start, _, person_id in merge(*each):
            wanted = Span(start, start + self._need.length)
            for room in self._need.rooms:
                if is_free(self._busy_in(room_key(room.id)), wanted):
                    return Candidate(person=person_id, room=room.id, span=wanted)
        return None

    def take(self, candidate: Candidate) -> None:
        """Count a candidate as taken from now on."""
        for resource in (person_key(candidate.person), room_key(candidate.room)):
            self._taken.setdefault(resource, []).append(candidate.span)
        self._free.pop(candidate.person, None)
        self._busy.pop(room_key(candidate.room), None)

    def _open_to(self, person: Person, closed: list[Span], window: Span) -> list[Span]:
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
