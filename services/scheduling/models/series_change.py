"""What somebody wants to do with a series, and what that makes of its sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from services.scheduling.models.rows import Appointment, Series


class SeriesAct(StrEnum):
    """What is done with a series, by the name of its operation."""

    CANCEL = "cancel-sessions"
    MOVE = "move-sessions"
    HOLD = "hold"
    EXTEND = "extend"
    BOOK_PARTLY = "book-partly"
    SETTLE = "settle"


class Scope(StrEnum):
    """Which sessions are meant: the one that is named, it and what follows, or all that are still to come."""

    ONE = "one"
    FOLLOWING = "following"
    ALL = "all"


@dataclass(frozen=True, kw_only=True)
class SeriesChange:
    """An act on a series with what was said for it; what an act has no use for is None.

    `start` is the new start of the session that is named, `practitioner` who leads the sessions from then on
    and `room` where they are; `first` and `last` are the days of a hold, `on` the days from which on each
    booster may be.
    """

    act: SeriesAct
    words: str | None = None
    code: str = "prov"
    scope: Scope = Scope.ONE
    session: UUID | None = None
    start: datetime | None = None
    practitioner: str | None = None
    room: str | None = None
    first: date | None = None
    last: date | None = None
    discipline: str | None = None
    count: int = 0
    on: Sequence[date] = ()


@dataclass(frozen=True, kw_only=True)
class ChangedSession:
    """A session that an act changes: when it was (None for a new one), and what it is after that."""

    row: Appointment
    was: datetime | None


@dataclass(frozen=True, kw_only=True)
class ChangedSeries:
    """A series after an act, with every session that the act changed, in the order of time."""

    series: Series
    sessions: Sequence[ChangedSession]
