"""The times at which a visit fits, best first and fairly shared.

Invariants:
- A candidate lies wholly inside working hours, the window and a free room, and wholly outside what the
  clinician and the patient have, the patient's unavailable times, closed days and the meeting hour.
- Candidates come earliest first; at the same time the clinician with the fewest visits comes first, then
  the smaller id, so that the order is the same whoever computes it.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.scheduling.models import Span, Taken
from services.scheduling.rules import free_time
from services.scheduling.rules.calendar import local_weeks
from services.scheduling.rules.intervals import is_free, merged, subtracted
from services.scheduling.rules.needs import Need, person_key, room_key
from shared.clinic import Person


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A time at which a clinician and a room are free."""

    person: str
    room: str
    span: Span


def in_order(
    need: Need, *, taken: Taken, never: Iterable[Span], window: Span, every_room: bool = True
) -> Iterator[Candidate]:
    """Go through every fitting time, best first; `never` is when the patient cannot come.

    Each free room of a time is a candidate of its own, in the order of clinic.yaml; without `every_room` only
    the first. Computed week by week, because most searches end in the first.
    """
    closed = merged(never)
    rooms = [(room.id, merged(taken.get(room_key(room.id), ()))) for room in need.rooms]
    for week in local_weeks(window, need.site.zone):
        each = [_starts(person, need=need, taken=taken, closed=closed, window=week) for person in need.people]
        for start, _, person_id in heapq.merge(*each):
            span = Span(start, start + need.length)
            for room, busy in rooms:
                if is_free(busy, span):
                    yield Candidate(person=person_id, room=room, span=span)
                    if not every_room:
                        break


def load_of(person: Person, *, taken: Taken) -> int:
    """Count the visits that a clinician has."""
    return len(taken.get(person_key(person.id), ()))


def starts_of(
    person_id: str, free: Iterable[Span], *, load: int, need: Need
) -> Iterator[tuple[datetime, int, str]]:
    """Go through the starts of a clinician's free time, as they are compared with those of others."""
    for span in free:
        for start in free_time.starts_in(span, length=need.length):
            yield start, load, person_id


def _starts(
    person: Person, *, need: Need, taken: Taken, closed: Sequence[Span], window: Span
) -> Iterator[tuple[datetime, int, str]]:
    free = free_time.left_of(need.works(person, window=window), person, taken=taken)
    load = load_of(person, taken=taken)
    return starts_of(person.id, subtracted(free, closed), load=load, need=need)
