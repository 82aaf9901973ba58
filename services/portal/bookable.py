"""Which visits can be booked: those of a programme, of these what a clinician gives or a room is for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from services.portal import free_times, labels
from services.portal.languages import Language
from services.portal.reading import Resource, code_of, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class BookableVisit:
    """A visit by the name that calls know, and what it is called."""

    name: str
    text: str
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PickedPlace:
    """The clinician, with a discipline, or the room, with its kind, that was picked in the calendar."""

    name: str
    discipline: str = ""
    kind: str = ""

    @classmethod
    def of_clinician(cls, role: Resource) -> Self:
        """Read it from a PractitionerRole."""
        discipline = code_of(next(iter(role.get("code", ())), None))
        return cls(name=shown(role.get("practitioner")), discipline=discipline)

    @classmethod
    def of_room(cls, room: Resource) -> Self:
        """Read it from a Location."""
        return cls(name=str(room.get("name", "")), kind=code_of(next(iter(room.get("type", ())), None)))

    def takes(self, visit: Mapping[str, Any]) -> bool:
        """Whether a visit, as `visits_of` reads it, can be with this clinician or in this room."""
        is_given = not self.discipline or self.discipline in visit["disciplines"]
        return is_given and (not self.kind or self.kind == visit["parts"].get("room"))


def named(visit: Mapping[str, Any], *, language: Language) -> BookableVisit:
    """Name a visit that `visits_of` read."""
    parts = visit["parts"]
    name = free_times.ELEMENTS.get(parts["element"])
    if name is None:
        return BookableVisit(name=parts["id"], text=parts["name"], minutes=parts["minutes"])
    return BookableVisit(name=name, text=language.say(labels.VISITS[name]), minutes=parts["minutes"])
