"""What the visits of a programme need: the first one, the sessions, and every other type by its name."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from shared.clinic.part import Id, Part


class Discipline(StrEnum):
    """The professions that form a team."""

    PHYSIATRY = "physiatry"
    PHYSIOTHERAPY = "physiotherapy"
    OCCUPATIONAL_THERAPY = "occupational-therapy"
    PSYCHOLOGY = "psychology"
    PAIN_MEDICINE = "pain-medicine"


RoomKind = Literal["assessment", "treatment", "procedure", "group"]
# What a named visit can be; the first visit and the sessions of a programme have elements of their own.
NamedKind = Literal["joint-first", "review", "procedure", "telehealth", "group", "test", "meeting"]


class Room(Part):
    """A room; a booking needs one of the right kind, and some visits one for a wheelchair."""

    id: Id
    name: str
    kind: RoomKind
    wheelchair: bool = False


class Equipment(Part):
    """A device of a site; a visit that needs its kind takes one of them."""

    id: Id
    name: str
    kind: Id


class Visit(Part):
    """What one visit needs: minutes, the discipline and the kind of room."""

    minutes: int = Field(ge=5, le=480, multiple_of=5)
    discipline: Discipline
    room: RoomKind


class Sessions(Visit):
    """A series: how many sessions, how many a week at the most."""

    count: int = Field(ge=1, le=60)
    per_week: int = Field(ge=1, le=7)


class VisitType(Part):
    """A visit that people book by its name.

    It takes one clinician of each discipline, the first of whom leads it; a room, unless it has none
    (telehealth); and one device of each kind of equipment. Clinicians, room and equipment are taken `before`
    and `after` minutes around it too. A group has `seats`, and every patient in it an appointment of their
    own. With `wheelchair` the room must be fit for one, whoever comes.
    """

    id: Id
    name: str
    kind: NamedKind
    minutes: int = Field(ge=5, le=480, multiple_of=5)
    disciplines: tuple[Discipline, ...] = Field(min_length=1)
    room: RoomKind | None = None
    equipment: tuple[Id, ...] = ()
    before: int = Field(ge=0, le=120, multiple_of=5, default=0)
    after: int = Field(ge=0, le=120, multiple_of=5, default=0)
    seats: int | None = Field(ge=2, le=40, default=None)
    wheelchair: bool = False

    @property
    def purpose(self) -> str:
        """Which hours of a clinician it takes: those for first visits, or those for sessions."""
        return "first" if self.kind == "joint-first" else "session"
