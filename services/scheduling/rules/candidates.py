"""The times at which a visit fits, best first and fairly shared.

Invariants:
- A candidate lies wholly inside working hours, the window and a free room, and wholly outside what the
  clinician and the patient have, the patient's unavailable times, closed days and the meeting hour. What is
  taken before and after the visit does so too, but for the patient.
- Of a joint visit every clinician is free, and a device of each kind that it needs.
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
from services.scheduling.rules.needs import Need, device_key, person_key, resources_of, room_key
from shared.clinic import Person


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A time at which everything that a visit needs is free; `taken` is what it takes of all but the patient.

    `colleagues` are the other clinicians of a joint visit, in the order of its disciplines.
    """

    person: str
    room: str | None
    span: Span
    colleagues: tuple[str, ...] = ()
    equipment: tuple[str, ...] = ()
    buffered: Span | None = None
    is_overbooked: bool = False

    @property
    def taken(self) -> Span:
        """The time that is taken of clinicians, room and equipment."""
        return self.buffered or self.span

    @property
    def resources(self) -> tuple[str, ...]:
        """What is taken beside the patient."""
        return resources_of(
            practitioner=self.person,
            colleagues=self.colleagues,
            room=self.room,
            equipment=self.equipment,
            is_overbooked=self.is_overbooked,
        )


class Openings:
    """Where a need can still be met inside `span`, of at most a week; `taken` is what was taken before.

    What one visit takes makes only its clinician and its room be worked out again.
    """

    def __init__(self, need: Need, *, taken: Mapping[str, Iterable[Span]], span: Span) -> None:
        self._need = need
        self._span = span
        self._taken = {resource: list(spans) for resource, spans in taken.items()}
        self._rooms = [room_key(room.id) for room in need.rooms]
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
            found = self._place(Span(start, start + self._need.length), person_id, bars)
            if found is not None:
                yield found

    def first(
        self, *, never: Iterable[Span] = (), barred: Taken = NOTHING_TAKEN, window: Span
    ) -> Candidate | None:
        """Find the best candidate in a part of the span."""
        return next(self.in_order(never=never, barred=barred, window=window), None)

    def take(self, candidate: Candidate) -> None:
        """Count a candidate as taken from now on."""
        for resource in candidate.resources:
            self._taken.setdefault(resource, []).append(candidate.taken)
            self._busy.pop(resource, None)
        for person_id in (candidate.person, *candidate.colleagues):
            self._free.pop(person_id, None)

    def _place(self, visit: Span, person_id: str, bars: Taken) -> Candidate | None:
        """Find everything beside the leading clinician that a visit takes at a time."""
        need, taken = self._need, self._need.taken_by(visit)
        room = self._one_free(self._rooms, taken, visit, bars)
        if need.has_room and room is None:
            return None
        devices = [
            self._one_free([device_key(device) for device in group], taken, visit, bars)
            for group in need.equipment
        ]
        colleagues = self._colleagues(person_id, taken, visit, bars)
        if colleagues is None or None in devices:
            return None
        return Candidate(
            person=person_id,
            room=None if room is None else _id(room),
            span=visit,
            colleagues=colleagues,
            equipment=tuple(_id(device) for device in devices if device is not None),
            buffered=taken if need.has_buffers else None,
        )

    def _colleagues(self, lead: str, taken: Span, visit: Span, bars: Taken) -> tuple[str, ...] | None:
        """Find who is free of each other discipline, the least loaded one; None where one is missing."""
        found = [lead]
        for group in self._need.colleagues:
            free = [
                (load_of(person, taken=self._taken), person.id)
                for person in group
                if person.id not in found
                and is_free(bars.get(person_key(person.id), ()), visit)
                and any(
                    part.start <= taken.start and taken.end <= part.end for part in self._all_free(person)
                )
            ]
            if not free:
                return None
            found.append(min(free)[1])
        return tuple(found[1:])

    def _one_free(self, keys: Iterable[str], taken: Span, visit: Span, bars: Taken) -> str | None:
        return next(
            (key for key in keys if is_free(self._busy_in(key), taken) and is_free(bars.get(key, ()), visit)),
            None,
        )

    def _starts(
        self, person: Person, closed: Sequence[Span], bars: Taken, window: Span
    ) -> Iterator[tuple[datetime, int, str]]:
        """Go through the starts at which a clinician is free, as they are compared with those of others."""
        load = load_of(person, taken=self._taken)
        if bar := bars.get(person_key(person.id)):
            closed = merged([*closed, *bar])
        need = self._need
        for span in self._open_to(person, closed, window):
            if need.has_buffers:
                span = Span(span.start + need.before, span.end - need.after)
            for start in free_time.starts_in(span, length=need.length):
                if not need.has_buffers or is_free(closed, Span(start, start + need.length)):
                    yield start, load, person.id

    def _open_to(self, person: Person, closed: Sequence[Span], window: Span) -> list[Span]:
        """Return when a clinician is free; when the patient cannot come bounds the visit, not its buffers."""
        free = self._all_free(person)
        if window != self._span:
            free = clipped(free, window)
        return subtracted(free, closed) if closed and not self._need.has_buffers else free

    def _all_free(self, person: Person) -> list[Span]:
        free = self._free.get(person.id)
        if free is None:
            works = self._need.offers(person, window=self._span, days=self._days)
            free = self._free[person.id] = free_time.left_of(works, person, taken=self._taken)
        return free

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


def _id(resource: str) -> str:
    return resource.partition("/")[2]


def load_of(person: Person, *, taken: Taken) -> int:
    """Count the visits that a clinician has."""
    return len(taken.get(person_key(person.id), ()))
