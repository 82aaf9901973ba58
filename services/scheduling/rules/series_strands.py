"""The strands of a series of several disciplines, and at which quarters of an hour each may begin.

A strand is what one discipline gives, or a visit by its name, such as a review or a group.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.scheduling.models.spans import NOTHING_TAKEN, Span, Taken
from services.scheduling.rules.candidates import Candidate, load_of
from services.scheduling.rules.intervals import subtracted
from services.scheduling.rules.needs import Need, device_key, person_key, room_key
from services.scheduling.rules.notice import STEP
from services.scheduling.rules.quarter_grid import QuarterGrid, starts_in


@dataclass(frozen=True, kw_only=True)
class Strand:
    """What a series has of one kind: how many in each week of the course, between which moments.

    `visit_type` is its name where it is no session; `joins` are moments at which there is a seat in a group
    that meets already, by who leads it and in which room.
    """

    key: str
    need: Need
    per_week: Sequence[int]
    window: Span
    visit_type: str | None = None
    joins: Mapping[datetime, Candidate] = field(default_factory=dict)

    @property
    def quarters(self) -> int:
        """How many quarters of an hour one of them takes of the patient."""
        return _quarters(self.need.length)

    @property
    def count(self) -> int:
        """How many there are in all."""
        return sum(self.per_week)


@dataclass(frozen=True, kw_only=True)
class Occupied:
    """What is taken of everybody, when the patient cannot come, and what the patient gave up with whom."""

    taken: Taken
    patient: Sequence[Span] = ()
    barred: Taken = field(default_factory=lambda: NOTHING_TAKEN)


class StrandStarts:
    """When a strand may begin: with each clinician who leads it, everything else it needs being free."""

    def __init__(self, strand: Strand, grid: QuarterGrid, occupied: Occupied) -> None:
        need = strand.need
        self.strand, self._grid, self._occupied = strand, grid, occupied
        self._sizes = {
            "quarters": strand.quarters,
            "before": _quarters(need.before),
            "after": _quarters(need.after),
        }
        self._rooms = [(room.id, self._of_thing(room_key(room.id))) for room in need.rooms]
        self._devices = [
            [(one, self._of_thing(device_key(one))) for one in group] for group in need.equipment
        ]
        self._colleagues = [[(one.id, self._of_person(one.id)) for one in group] for group in need.colleagues]
        self._joins = {grid.bit_of(moment): place for moment, place in strand.joins.items()}
        patient = starts_in(grid.all & ~grid.touched(occupied.patient), quarters=strand.quarters)
        inside = starts_in(grid.inside([strand.window]), quarters=strand.quarters)
        self._open = patient & inside
        self.by_person = self._by_person()
        self.anybody = _either(self.by_person.values()) | self._joined()

    @property
    def people(self) -> list[str]:
        """Who can lead it: who keeps hours for its programme first, then who has the most room."""
        need, taken = self.strand.need, self._occupied.taken
        keeps = {one.id: any(need.programme in part.programmes for part in one.hours) for one in need.people}
        load = {one.id: load_of(one, taken=taken) for one in need.people}
        return sorted(
            self.by_person,
            key=lambda one: (not keeps[one], -self.by_person[one].bit_count(), load[one], one),
        )

    def with_person(self, person: str | None) -> int:
        """Mark the starts with one clinician; the seats of groups that meet already are everybody's."""
        return self.by_person.get(person or "", 0) | self._joined()

    def place(self, bit: int, *, usual: str | None) -> Candidate:
        """Return everything that is taken at a start, with the usual clinician where that is free."""
        if bit in self._joins:
            return self._joins[bit]
        able = [one for one in (usual, *self.people) if one and self.by_person.get(one, 0) >> bit & 1]
        need, start = self.strand.need, self._grid.moment(bit)
        span = Span(start, start + need.length)
        return Candidate(
            person=able[0],
            room=_first(self._rooms, bit) if need.has_room else None,
            span=span,
            colleagues=tuple(filter(None, (_first(group, bit) for group in self._colleagues))),
            equipment=tuple(filter(None, (_first(group, bit) for group in self._devices))),
            buffered=need.taken_by(span) if need.has_buffers else None,
        )

    def _by_person(self) -> dict[str, int]:
        things = self._open
        if self.strand.need.has_room:
            things &= _either(mask for _, mask in self._rooms)
        for group in (*self._devices, *self._colleagues):
            things &= _either(mask for _, mask in group)
        return {one.id: things & self._of_person(one.id) for one in self.strand.need.people}

    def _joined(self) -> int:
        return self._open & _either(1 << bit for bit in self._joins)

    def _of_person(self, person_id: str) -> int:
        need, occupied, key = self.strand.need, self._occupied, person_key(person_id)
        person = next(
            one
            for one in (*need.people, *(other for group in need.colleagues for other in group))
            if one.id == person_id
        )
        hours = need.offers(person, window=self._grid.window)
        free = subtracted(hours, [*occupied.taken.get(key, ()), *occupied.barred.get(key, ())])
        return starts_in(self._grid.inside(free), **self._sizes)

    def _of_thing(self, key: str) -> int:
        occupied = self._occupied
        taken = [*occupied.taken.get(key, ()), *occupied.barred.get(key, ())]
        return starts_in(self._grid.all & ~self._grid.touched(taken), **self._sizes)


def _first(group: Iterable[tuple[str, int]], bit: int) -> str | None:
    return next((name for name, mask in group if mask >> bit & 1), None)


def _either(masks: Iterable[int]) -> int:
    found = 0
    for mask in masks:
        found |= mask
    return found


def _quarters(length: timedelta) -> int:
    return -(-length // STEP)
