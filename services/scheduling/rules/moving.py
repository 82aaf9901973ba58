"""A time that a person chose: whether it can be had, and if not, what blocks it and until when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.scheduling.models.spans import Span, Taken
from services.scheduling.rules.calendar import working_spans
from services.scheduling.rules.candidates import Candidate, Need, person_key, room_key
from services.scheduling.rules.intervals import is_free, merged, until_free
from shared.clinic import Person, Room


@dataclass(frozen=True, kw_only=True)
class Blocked:
    """What stands in the way: a reference, until when (None when that is no matter of waiting), and why."""

    resource: str
    until: datetime | None
    why: str


def place_at(
    span: Span,
    *,
    need: Need,
    people: Sequence[Person],
    prefer_room: str | None,
    patient: Sequence[Span],
    taken: Taken,
) -> Candidate | Blocked:
    """Find a clinician among `people` and a room for a chosen time, or tell the first thing that blocks it.

    The patient's unavailable times do not block: whoever moves a visit has asked the patient.
    """
    busy_until = until_free(merged(patient), span)
    if busy_until is not None:
        return Blocked(resource="Patient", until=busy_until, why="has another appointment")
    person = _person(span, need=need, people=people, taken=taken)
    if isinstance(person, Blocked):
        return person
    room = _room(span, rooms=_preferred(need.rooms, prefer_room), taken=taken)
    return room if isinstance(room, Blocked) else Candidate(person=person, room=room, span=span)


def _person(span: Span, *, need: Need, people: Sequence[Person], taken: Taken) -> str | Blocked:
    blocked = Blocked(resource="Location", until=None, why=f"nobody gives {need.discipline} at this site")
    for person in people:
        works = working_spans(person, site=need.site, purpose=need.purpose, window=span)
        busy_until = until_free(merged(taken.get(person_key(person.id), ())), span)
        reference = f"Practitioner/{person.id}"
        if works != [span]:
            blocked = Blocked(
                resource=reference, until=None, why=f"has no hours for a {need.purpose} visit at this time"
            )
        elif busy_until is not None:
            blocked = Blocked(resource=reference, until=busy_until, why="has another appointment")
        else:
            return person.id
    return blocked


def _room(span: Span, *, rooms: Iterable[Room], taken: Taken) -> str | Blocked:
    ends: list[tuple[datetime, str]] = []
    for room in rooms:
        busy = merged(taken.get(room_key(room.id), ()))
        if is_free(busy, span):
            return room.id
        ends.append((until_free(busy, span) or span.end, room.id))
    if not ends:
        return Blocked(resource="Location", until=None, why="this site has no room of the right kind")
    until, room_id = min(ends)
    return Blocked(resource=f"Location/{room_id}", until=until, why="and every other such room is taken")


def _preferred(rooms: Iterable[Room], first: str | None) -> list[Room]:
    return sorted(rooms, key=lambda room: room.id != first)
