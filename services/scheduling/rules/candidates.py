"""Free time, computed and never stored: hours less what is taken, in quarter hours, fairly shared.

Invariants:
- A candidate lies wholly inside working hours, the window and a free room, and wholly outside what the
  clinician and the patient have, the patient's unavailable times, closed days and the meeting hour.
- Candidates come earliest first; at the same time the clinician with the fewest visits comes first, then
  the smaller id, so that the order is the same whoever computes it.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from services.scheduling.models.spans import Span, Taken
from services.scheduling.rules.calendar import (
    local_day_end,
    local_day_start,
    local_days,
    local_weeks,
    working_spans,
)
from services.scheduling.rules.intervals import clipped, is_free, merged, subtracted
from services.scheduling.rules.notice import STEP
from shared.clinic import Clinic, Discipline, Person, Room, Site, Visit

_EPOCH_STEP = STEP.total_seconds()


@dataclass(frozen=True, kw_only=True)
class Need:
    """What a visit needs, and whom it can be given: able people and rooms of the right kind, at one site.

    Whoever keeps a need works out each person's hours of a day only once.
    """

    site: Site
    purpose: str
    length: timedelta
    discipline: Discipline
    people: tuple[Person, ...]
    rooms: tuple[Room, ...]
    _days: dict[tuple[str, date], list[Span]] = field(default_factory=dict, compare=False, repr=False)

    def works(self, person: Person, *, window: Span, days: Iterable[date] | None = None) -> list[Span]:
        """Give the times inside the window at which a person works for this; `days` are the local days of
        the window, for who asks for several people.
        """
        each = local_days(window, self.site.zone) if days is None else days
        return clipped([span for day in each for span in self._on(day, person)], window)

    def _on(self, day: date, person: Person) -> list[Span]:
        found = self._days.get((person.id, day))
        if found is None:
            whole = Span(local_day_start(day, self.site.zone), local_day_end(day, self.site.zone))
            found = working_spans(person, site=self.site, purpose=self.purpose, window=whole)
            self._days[person.id, day] = found
        return found


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A time at which a clinician and a room are free."""

    person: str
    room: str
    span: Span


def person_key(person_id: str) -> str:
    """Name a clinician as a resource."""
    return f"person/{person_id}"


def room_key(room_id: str) -> str:
    """Name a room as a resource."""
    return f"room/{room_id}"


def need_of(clinic: Clinic, *, site_id: str, visit: Visit, purpose: str) -> Need:
    """Tell what a visit at a site needs, in this clinic."""
    site = clinic.site(site_id)
    return Need(
        site=site,
        purpose=purpose,
        length=timedelta(minutes=visit.minutes),
        discipline=visit.discipline,
        people=who_is_able(clinic, site_id=site_id, discipline=visit.discipline),
        rooms=tuple(room for room in site.rooms if room.kind == visit.room),
    )


def who_is_able(clinic: Clinic, *, site_id: str, discipline: Discipline) -> tuple[Person, ...]:
    """Name the people of a discipline at a site."""
    return tuple(one for one in clinic.people if one.site == site_id and one.discipline == discipline)


def candidates(
    need: Need, *, taken: Taken, never: Iterable[Span], window: Span, every_room: bool = True
) -> Iterator[Candidate]:
    """Go through every fitting time, best first; `never` is when the patient cannot come.

    Each free room of a time is a candidate of its own, in the order of clinic.yaml; without `every_room` only
    the first. Computed week by week, because most searches end in the first.
    """
    closed = merged(never)
    rooms = [(room.id, merged(taken.get(room_key(room.id), ()))) for room in need.rooms]
    for week in local_weeks(window, need.site.zone):
        each = [_starts(one, need=need, taken=taken, closed=closed, window=week) for one in need.people]
        for start, _, person in heapq.merge(*each):
            span = Span(start, start + need.length)
            for room, busy in rooms:
                if is_free(busy, span):
                    yield Candidate(person=person, room=room, span=span)
                    if not every_room:
                        break


def free_spans(
    person: Person, *, need: Need, taken: Taken, never: Iterable[Span], window: Span
) -> list[Span]:
    """Give the clinician's working time in the window that is neither taken nor one of `never`."""
    works = need.works(person, window=window)
    return subtracted(works, [*taken.get(person_key(person.id), ()), *never])


def starts_in(span: Span, *, length: timedelta) -> Iterator[datetime]:
    """Go through the full quarter hours at which a visit of this length fits into a span."""
    behind = span.start.timestamp() % _EPOCH_STEP
    start = span.start + (timedelta(seconds=_EPOCH_STEP - behind) if behind else timedelta())
    while start + length <= span.end:
        yield start
        start += STEP


def starts_of(
    person_id: str, free: Iterable[Span], *, load: int, need: Need
) -> Iterator[tuple[datetime, int, str]]:
    """Go through the starts of a clinician's free time, as they are compared with those of others."""
    for span in free:
        for start in starts_in(span, length=need.length):
            yield start, load, person_id


def _starts(
    person: Person, *, need: Need, taken: Taken, closed: Sequence[Span], window: Span
) -> Iterator[tuple[datetime, int, str]]:
    free = free_spans(person, need=need, taken=taken, never=closed, window=window)
    load = len(taken.get(person_key(person.id), ()))
    return starts_of(person.id, free, load=load, need=need)
