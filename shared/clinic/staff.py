"""The sites of a clinic, and who works there when, as clinic.yaml names them.

Wall-clock times and weekdays are those of the site's `time_zone`.
"""

from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints, model_validator

from shared.clinic.part import Email, Id, Part, WallTime
from shared.clinic.visits import Discipline, Equipment, Room

Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]


class Weekday(StrEnum):
    """Days of the week, in the order of date.weekday()."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"

    @property
    def number(self) -> int:
        """0 for Monday, as date.weekday() counts."""
        return list(Weekday).index(self)


class MeetingHour(Part):
    """The hour that a site keeps for its weekly case meeting; nothing is booked into it."""

    weekday: Weekday
    start: WallTime
    minutes: int = Field(ge=10, le=480)
    chair: Id


class Site(Part):
    """A place of care with its own time zone; `phone` is what patients may call."""

    id: Id
    name: str
    time_zone: str
    closed: tuple[date, ...] = ()
    rooms: tuple[Room, ...] = Field(min_length=1)
    equipment: tuple[Equipment, ...] = ()
    meeting: MeetingHour
    phone: str | None = Field(default=None, pattern=r"^\+?[0-9][0-9 ()./-]{4,30}$")

    @cached_property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.time_zone)


class Hours(Part):
    """Weekly working hours of a person, and what they are for.

    Hours that name `programmes` are kept for these alone: the reserved blocks of an intensive programme. What
    is left of hours so many days ahead (`release_days`) is for other visits too.
    """

    days: tuple[Weekday, ...] = Field(min_length=1)
    start: WallTime = Field(alias="from")
    end: WallTime = Field(alias="to")
    purpose: tuple[Literal["first", "session"], ...] = Field(alias="for", default=("first", "session"))
    programmes: tuple[Id, ...] = ()
    release_days: int | None = Field(ge=0, le=60, default=None)

    def is_open_to(self, programme: str | None) -> bool:
        """Tell whether visits of a programme may lie in these hours before they are released."""
        return not self.programmes or programme in self.programmes


class Absence(Part):
    """Local days on which a person is away, both included; from a time of the first, until one of the last.

    Without these times the whole of the first and of the last day is meant.
    """

    start: date = Field(alias="from")
    end: date = Field(alias="to")
    start_time: WallTime | None = Field(alias="from_time", default=None)
    end_time: WallTime | None = Field(alias="to_time", default=None)

    def covers(self, day: date) -> bool:
        """Tell whether the person is away for the whole of a local day."""
        begun = self.start < day or (self.start == day and self.start_time is None)
        return begun and (day < self.end or (self.end == day and self.end_time is None))


class Offer(Part):
    """Whether and between which local days, both included, somebody's hours are offered to new visits.

    What is booked outside of it stands.
    """

    active: bool = True
    start: date | None = Field(alias="from", default=None)
    end: date | None = Field(alias="to", default=None)

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError("it ends before it begins")
        return self


class Person(Part):
    """A clinician; `id` is the id of the Practitioner, `languages` are those spoken, such as `fr`.

    `offered` says whether and when new visits are booked with them.
    """

    id: Id
    family: str
    given: str
    discipline: Discipline
    site: Id
    email: Email
    languages: tuple[Language, ...] = ()
    hours: tuple[Hours, ...] = ()
    absences: tuple[Absence, ...] = ()
    offered: Offer = Offer()
