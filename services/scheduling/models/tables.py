"""The tables of scheduling but for task_tables, with the constraints that make bad states impossible.

- Free time is not a table: it is the clinic's hours less `occupancy`.
- No resource (clinician, room, patient) is occupied twice at once: the exclusion constraint decides.
- A time at which nobody is there ends after it has begun.
- A group session takes its clinicians, room and equipment once; a seat of it is one patient's.
- A referral has at most one first appointment that lives, one guarantee, one series, one newest grant.
- Who stands in the calendar has a time, a clinician and, unless it is telehealth, a room.
"""

from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from services.scheduling.models.calendar_links import CalendarLink
from services.scheduling.models.rows import (
    Appointment,
    ForecastMade,
    Funding,
    GivenUpTime,
    GroupSession,
    Guarantee,
    KnownPatient,
    Referral,
    Series,
    UnavailableTime,
)
from services.scheduling.states import (
    LIVE_FIRST,
    STANDING,
    AbsenceStatus,
    AppointmentStatus,
    GroupStatus,
    ReferralState,
    SeriesStatus,
)
from shared.db.models import one_of
from shared.db.tables import add_shared_tables
from shared.fhir.codes import FIRST_KINDS, AppointmentKind, GuaranteeStatus


def _listed(codes: tuple[StrEnum, ...]) -> str:
    return ", ".join(f"'{code.value}'" for code in codes)


class Base(SQLModel, registry=registry()):
    """Base of this service's tables, with metadata of its own."""


class ResourceTable(Base, table=True):
    """The number that the exclusion constraint knows a clinician, a room or a patient by."""

    __tablename__ = "resource"

    number: int | None = Field(default=None, sa_column=Column(Integer, Identity(), primary_key=True))
    id: str = Field(unique=True)


class ReferralTable(Referral, Base, table=True):
    """The table of Referral rows."""

    __table_args__ = (
        one_of("state", ReferralState, name="state_is_known"),
        Index("referral_team", "team", postgresql_using="gin"),
        # A forecast learns from the last weeks of a site.
        Index("referral_of_site_by_acceptance", "site", "accepted_at"),
    )


class GuaranteeTable(Guarantee, Base, table=True):
    """The table of Guarantee rows."""

    __table_args__ = (
        one_of("status", GuaranteeStatus, name="status_is_known"),
        # A page of a site's guarantees is read in the order of their ends, each status by itself.
        Index("guarantee_of_site_by_due", "site", "status", "due_at", "id"),
        Index("guarantee_due", "site", "due_at"),
        Index(
            "guarantee_unbooked",
            *("site", "due_at", "unbooked_since", "id"),
            postgresql_where=text("unbooked_since IS NOT NULL"),
        ),
    )


class SeriesTable(Series, Base, table=True):
    """The table of Series rows."""

    __table_args__ = (
        one_of("status", SeriesStatus, name="status_is_known"),
        Index("series_to_see_to", "site", "short_since", postgresql_where=text("short_since IS NOT NULL")),
    )


class AppointmentTable(Appointment, Base, table=True):
    """The table of Appointment rows."""

    __table_args__ = (
        one_of("status", AppointmentStatus, name="status_is_known"),
        one_of("kind", AppointmentKind, name="kind_is_known"),
        CheckConstraint(
            f"status NOT IN ({_listed(STANDING)}, 'fulfilled', 'noshow') OR "
            "(starts_at IS NOT NULL AND ends_at > starts_at "
            "AND practitioner IS NOT NULL AND (room IS NOT NULL OR kind = 'telehealth'))",
            name="who_stands_in_the_calendar_has_a_time",
        ),
        # Reviews and groups of a course belong to its series too.
        CheckConstraint(
            "kind NOT IN ('first', 'joint-first', 'session') OR (kind = 'session') = (series_id IS NOT NULL)",
            name="sessions_belong_to_a_series",
        ),
        CheckConstraint("kind = 'session' OR discipline IS NULL", name="sessions_have_a_discipline"),
        # The first visit and the sessions are what the programme's own elements say.
        CheckConstraint(
            "(kind IN ('first', 'session')) = (visit_type IS NULL)", name="other_visits_have_a_type"
        ),
        CheckConstraint(
            "status <> 'pending' OR (held_until IS NOT NULL AND held_by IS NOT NULL "
            "AND starts_at IS NOT NULL AND ends_at > starts_at)",
            name="a_hold_says_until_when_and_whose",
        ),
        CheckConstraint(
            "(group_session IS NULL) = (seat IS NULL) AND (seat IS NULL OR seat BETWEEN 1 AND 40)",
            name="who_is_in_a_group_has_a_seat",
        ),
        Index(
            "one_patient_per_seat",
            *("group_session", "seat"),
            unique=True,
            postgresql_where=text("status <> 'cancelled'"),
        ),
        CheckConstraint("status <> 'cancelled' OR reason_code IS NOT NULL", name="cancelled_says_why"),
        Index(
            "one_live_first_per_referral",
            "referral_id",
            unique=True,
            postgresql_where=text(f"kind IN ({_listed(FIRST_KINDS)}) AND status IN ({_listed(LIVE_FIRST)})"),
        ),
        CheckConstraint("status <> 'waitlist' OR waits_since IS NOT NULL", name="who_waits_does_so_since"),
        # Whose day the plan of an evening finds.
        Index(
            "appointment_promised",
            *("site", "due_at", "id"),
            postgresql_where=text("status = 'proposed'"),
        ),
        # The pages of a worklist: who waits, and what is over and not recorded, of a site and of a clinician.
        Index(
            "appointment_waiting",
            *("site", "due_at", "waits_since", "id"),
            postgresql_where=text("status = 'waitlist'"),
        ),
        Index("appointment_of_site_by_start", "site", "starts_at"),
        # A clinician sees the joint visits in which they are the second one.
        Index(
            "appointment_joined_by",
            "colleagues",
            postgresql_using="gin",
            postgresql_where=text("colleagues <> '{}'"),
        ),
        Index(
            "appointment_of_site_to_record",
            *("site", "ends_at", "id"),
            postgresql_where=text(f"status IN ({_listed(STANDING)})"),
        ),
        Index(
            "appointment_of_practitioner_to_record",
            *("practitioner", "ends_at", "id"),
            postgresql_where=text(f"status IN ({_listed(STANDING)})"),
        ),
    )


class GroupSessionTable(GroupSession, Base, table=True):
    """The table of GroupSession rows."""

    __table_args__ = (
        one_of("status", GroupStatus, name="status_is_known"),
        CheckConstraint("ends_at > starts_at", name="takes_some_time"),
        CheckConstraint("seats BETWEEN 2 AND 40", name="has_seats"),
        # Who joins looks for the session of a visit at a time.
        Index(
            "group_session_open",
            *("site", "starts_at"),
            postgresql_where=text("status = 'open'"),
        ),
    )


class OccupancyTable(Base, table=True):
    """What an appointment or a group session takes: a row a resource, live while it stands.

    A hold takes it `until` its end.
    """

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

    # Of an appointment or of a group session.
    appointment: UUID = Field(primary_key=True)
    resource: int = Field(primary_key=True, foreign_key="resource.number")
    during: Any = Field(sa_column=Column(TSTZRANGE, nullable=False))
    live: bool = True
    until: AwareDatetime | None = None


class FreedTable(Base, table=True):
    """How often time was given back at a site: while it stands still, what was full is full."""

    __tablename__ = "freed"

    site: str = Field(primary_key=True)
    times: int = Field(sa_column=Column(BigInteger, nullable=False))


class ForecastMadeTable(ForecastMade, Base, table=True):
    """The table of ForecastMade rows."""

    __table_args__ = (
        CheckConstraint("week BETWEEN 1 AND 26", name="week_is_forecast"),
        CheckConstraint("q10 <= q50 AND q50 <= q90", name="quantiles_rise"),
        # The weeks that are over and wait for what came true.
        Index("forecast_to_fill", "site", "made_on", "week", postgresql_where=text("truth IS NULL")),
    )


class GivenUpTimeTable(GivenUpTime, Base, table=True):
    """The table of GivenUpTime rows."""


class KnownPatientTable(KnownPatient, Base, table=True):
    """The table of KnownPatient rows."""


class UnavailableTimeTable(UnavailableTime, Base, table=True):
    """The table of UnavailableTime rows."""

    __table_args__ = (
        one_of("status", AbsenceStatus, name="status_is_known"),
        CheckConstraint("starts_at < ends_at", name="ends_after_its_start"),
        Index("unavailable_time_of_site", "site", "person", "ends_at"),
    )


class CalendarLinkTable(CalendarLink, Base, table=True):
    """The table of CalendarLink rows."""

    __table_args__ = (
        CheckConstraint("(practitioner IS NULL) <> (room IS NULL)", name="shows_one_calendar"),
        Index("calendar_link_of_site", "site", "made_at", postgresql_where=text("revoked_at IS NULL")),
    )


class FundingTable(Funding, Base, table=True):
    """The table of Funding rows."""


add_shared_tables(Base.metadata)
