"""What people ask of the calendar: times for a visit, and the visit that they choose."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.scheduling.models.spans import Span
from shared.clinic import Discipline, VisitType
from shared.fhir.codes import AppointmentKind


@dataclass(frozen=True, slots=True, kw_only=True)
class BookableVisit:
    """A visit of a programme by the name under which it is booked; first visit and session have no `type`."""

    name: str
    kind: AppointmentKind
    minutes: int
    disciplines: tuple[Discipline, ...]
    type: VisitType | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimesWanted:
    """What free times are looked for; what is None or empty narrows nothing.

    `window` bounds the whole visit. `practitioners` can lead it; `locations` are rooms, or sites. `limit` is
    how many times are given at the most.
    """

    window: Span
    visit: str | None = None
    specialty: str | None = None
    practitioners: Sequence[str] = ()
    locations: Sequence[str] = ()
    referral_id: UUID | None = None
    patient_id: str | None = None
    programme: str | None = None
    language: str | None = None
    wheelchair: bool = False
    same_clinician: bool = False
    limit: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTime:
    """A time at which a visit fits, with everything that it would take; `people` as in VisitProposal."""

    visit: BookableVisit
    span: Span
    people: Sequence[str]
    room: str | None = None
    equipment: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitProposal:
    """A visit that somebody wants at a time; `people` come with the one who leads it first.

    Without people the least loaded is taken, without a room the first that is free; of several sessions the
    discipline says which. With a reason to overbook
    the clinician who leads it may have another visit then.
    """

    referral_id: UUID
    visit: str
    start: datetime
    end: datetime | None = None
    people: Sequence[str] = ()
    room: str | None = None
    overbooked_because: str | None = None
    discipline: str | None = None
