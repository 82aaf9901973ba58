"""The tables of scheduling, with the constraints that make bad states impossible.

- Free time is not a table: it is the clinic's hours less `occupancy`.
- No resource (clinician, room, patient) is occupied twice at once: the exclusion constraint decides.
- A referral has at most one first appointment that lives, one guarantee, one series, one newest grant.
- Who stands in the calendar has a time, a clinician and a room.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Text,
    Uuid,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSTZRANGE, ExcludeConstraint
from sqlalchemy.orm import registry
from sqlmodel import Field

from services.scheduling.states import (
    LIVE_FIRST,
    STANDING,
    AppointmentStatus,
    ReferralState,
    SeriesStatus,
)
from shared.db import ResourceRow, Row
from shared.db.tables import add_shared_tables
from shared.fhir.codes import AppointmentKind, GuaranteeStatus


def _one_of(column: str, values: type[Any] | tuple[Any, ...]) -> CheckConstraint:
    allowed = ", ".join(f"'{value.value}'" for value in values)
    return CheckConstraint(f"{column} IN ({allowed})", name=f"{column}_is_known")


def _listed(values: tuple[AppointmentStatus, ...]) -> str:
    return ", ".join(f"'{value.value}'" for value in values)


class Base(Row, registry=registry()):
    """The tables of this database; their metadata is no other service's."""


class Resource(Base, table=True):
    """The number that the exclusion constraint knows a clinician, a room or a patient by."""

    __tablename__ = "resource"

    number: int | None = Field(default=None, sa_column=Column(Integer, Identity(), primary_key=True))
    id: str = Field(unique=True)


class Referral(Base, table=True):
    """An accepted referral as scheduling needs it; its id is that of the ServiceRequest."""

    __tablename__ = "referral"
    __table_args__ = (_one_of("state", ReferralState),)

    id: UUID = Field(primary_key=True)
    patient_id: str
    programme: str
    site: str
    requester: str
    payer: str | None = None
    accepted_at: datetime
    sent_at: datetime
    complete_at: datetime
    due_on: date
    due_at: datetime
    unavailable: list[list[str]] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    state: str = ReferralState.OPEN
    ended_because: str | None = None


class Guarantee(ResourceRow, Base, table=True):
    """The promise of one referral, as a Task with both clocks."""

    __tablename__ = "guarantee"
    __table_args__ = (_one_of("status", GuaranteeStatus),)

    referral_id: UUID = Field(foreign_key="referral.id", unique=True)
    patient_id: str = Field(index=True)
    site: str
    requester: str
    status: str = GuaranteeStatus.ON_TRACK
    due_at: datetime
    raw_days: int | None = None
    adjusted_days: int | None = None


class Series(ResourceRow, Base, table=True):
    """The sessions of one referral, as a List."""

    __tablename__ = "series"
    __table_args__ = (_one_of("status", SeriesStatus),)

    referral_id: UUID = Field(foreign_key="referral.id", unique=True)
    identifiers: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    patient_id: str = Field(index=True)
    site: str
    requester: str
    status: str = SeriesStatus.NOT_BOOKED
    note: str = ""


class Appointment(ResourceRow, Base, table=True):
    """A visit: the first one, or a session of a series; without a time while on the waitlist."""

    __tablename__ = "appointment"
    __table_args__ = (
        _one_of("status", AppointmentStatus),
        _one_of("kind", (AppointmentKind.FIRST, AppointmentKind.SESSION)),
        CheckConstraint(
            f"status NOT IN ({_listed(STANDING)}, 'fulfilled', 'noshow') OR "
            "(starts_at IS NOT NULL AND ends_at > starts_at "
            "AND practitioner IS NOT NULL AND room IS NOT NULL)",
            name="who_stands_in_the_calendar_has_a_time",
        ),
        CheckConstraint("(kind = 'session') = (series_id IS NOT NULL)", name="sessions_belong_to_a_series"),
        CheckConstraint("status <> 'cancelled' OR reason_code IS NOT NULL", name="cancelled_says_why"),
        Index(
            "one_live_first_per_referral",
            "referral_id",
            unique=True,
            postgresql_where=text(f"kind = 'first' AND status IN ({_listed(LIVE_FIRST)})"),
        ),
        Index("appointment_waiting", "site", postgresql_where=text("status = 'waitlist'")),
    )

    referral_id: UUID = Field(foreign_key="referral.id", index=True)
    kind: str
    status: str
    patient_id: str = Field(index=True)
    programme: str
    site: str
    requester: str
    minutes: int
    practitioner: str | None = Field(default=None, index=True)
    room: str | None = None
    starts_at: datetime | None = Field(default=None, index=True)
    ends_at: datetime | None = None
    series_id: UUID | None = Field(default=None, foreign_key="series.id", index=True)
    reason_code: str | None = None
    reason_text: str | None = None
    patient_caused: bool = False


class Occupancy(Base, table=True):
    """What an appointment takes: one row for each resource, live while it stands."""

    __tablename__ = "occupancy"
    __table_args__ = (
        ExcludeConstraint(
            (literal_column("int4range(resource, resource, '[]')"), "&&"),
            (Column("during", TSTZRANGE), "&&"),
            where=text("live"),
            using="gist",
            name="nobody_is_in_two_places",
        ),
        CheckConstraint("NOT isempty(during)", name="takes_some_time"),
    )

    appointment: UUID = Field(
        sa_column=Column(
            Uuid,
            ForeignKey("appointment.id", deferrable=True, initially="DEFERRED"),
            primary_key=True,
        )
    )
    resource: int = Field(primary_key=True, foreign_key="resource.number")
    during: Any = Field(sa_column=Column(TSTZRANGE, nullable=False))
    live: bool = True


class Freed(Base, table=True):
    """How often time was given back at a site: while it stands still, what was full is full."""

    site: str = Field(primary_key=True)
    times: int = Field(sa_column=Column(BigInteger, nullable=False))


class Funding(Base, table=True):
    """What the newest answer of the payer grants for one referral's sessions."""

    __tablename__ = "funding"

    referral_id: UUID = Field(primary_key=True, foreign_key="referral.id")
    claim_id: str
    status: str
    payer: str | None = None
    units: int | None = None
    starts_on: date | None = None
    ends_on: date | None = None


add_shared_tables(Base.metadata)
