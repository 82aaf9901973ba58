"""The tables of this database, with the constraints that make bad states impossible."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field

from services.referral.states import OPEN_TASKS, Authorization, State
from shared.db import ResourceRow, Row
from shared.db.tables import add_shared_tables


class Base(Row, registry=registry()):
    """Base of this service's tables, with metadata of its own."""


def _one_of(column: str, values: type[State] | type[Authorization]) -> CheckConstraint:
    allowed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({allowed})", name=f"{column}_known")


class Patient(ResourceRow, Base, table=True):
    """A person, as the first sender described them; `identifiers` are `system|value`."""

    __tablename__ = "patient"

    identifiers: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    family: str = ""
    given: str = ""
    birth_date: str | None = None


class PatientIdentifier(Base, table=True):
    """Who carries an identifier: one person each, whoever asks first."""

    __tablename__ = "patient_identifier"

    token: str = Field(primary_key=True)
    patient_id: UUID = Field(foreign_key="patient.id", index=True)


class Referral(ResourceRow, Base, table=True):
    """A ServiceRequest that was sent to us, and where it stands.

    `sent_at` is the raw clock and never changes; `complete_at` is set once, when nothing needed is missing;
    `answer` is what the sender was told, given again when it is sent again; `team` are the practitioners who
    are in the patient's care team for it, or were until the team's own end.
    """

    __tablename__ = "referral"
    __table_args__ = (
        _one_of("state", State),
        CheckConstraint("(state = 'merged') = (merged_into IS NOT NULL)", name="merged_names_the_first"),
        CheckConstraint("complete_at IS NULL OR complete_at >= sent_at", name="complete_after_sent"),
        Index("referral_identifiers", "identifiers", postgresql_using="gin"),
        Index("referral_team", "team", postgresql_using="gin"),
    )

    patient_id: UUID = Field(foreign_key="patient.id", index=True)
    requester: str = Field(index=True)
    sender: str
    identifiers: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    status: str = "active"
    intent: str = "order"
    priority: str | None = None
    authored_on: datetime | None = None
    sent_at: datetime
    complete_at: datetime | None = None
    due_on: date
    site: str = Field(index=True)
    state: str = State.AWAITING_TRIAGE
    turn: str
    reason: str = ""
    funding: str = ""
    sessions: str = ""
    stream: str | None = None
    payer: str | None = None
    programme: str | None = None
    rules: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    team: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    asked: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    unavailable: list[list[str]] = Field(default_factory=list, sa_type=JSONB)
    doubt: str | None = None
    unacknowledged: bool = False
    suspected_of: UUID | None = None
    merged_into: UUID | None = None
    report: UUID | None = None
    answer: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)


class SenderIdentifier(Base, table=True):
    """The sender's identifiers of a referral: the same one again is the same referral."""

    __tablename__ = "sender_identifier"

    requester: str = Field(primary_key=True)
    token: str = Field(primary_key=True)
    referral_id: UUID


class Enclosure(ResourceRow, Base, table=True):
    """Any other resource of a referral: what came with it, our Provenance, and the report at the end."""

    __tablename__ = "enclosure"
    __table_args__ = (
        Index("enclosure_by_referral", "referral_id", "type"),
        Index("enclosure_identifiers", "identifiers", postgresql_using="gin"),
    )

    type: str
    referral_id: UUID = Field(foreign_key="referral.id")
    patient_id: UUID = Field(index=True)
    requester: str
    identifiers: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    status: str | None = None


class DirectoryEntry(Base, table=True):
    """Which person or organisation of a sender carries an identifier: the first, for good."""

    __tablename__ = "directory_entry"

    requester: str = Field(primary_key=True)
    type: str = Field(primary_key=True)
    token: str = Field(primary_key=True)
    enclosure_id: UUID = Field(foreign_key="enclosure.id")


class Task(ResourceRow, Base, table=True):
    """A Task: the process Task of a referral (one each) and what people are asked to do."""

    __tablename__ = "task"
    __table_args__ = (
        Index(
            "one_process_task_per_referral",
            "referral_id",
            unique=True,
            postgresql_where=text("code = 'process-request'"),
        ),
        Index(
            "one_open_task_of_a_kind",
            "referral_id",
            "code",
            unique=True,
            postgresql_where=text(f"status IN ({', '.join(repr(status) for status in OPEN_TASKS)})"),
        ),
        Index("task_by_owner", "owner", "status"),
    )

    referral_id: UUID = Field(foreign_key="referral.id")
    patient_id: UUID = Field(index=True)
    claim_id: UUID | None = None
    code: str
    status: str
    owner: str
    identifiers: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    authored_on: datetime


class Claim(ResourceRow, Base, table=True):
    """A request for authorization; `consented` opens it to its insurer and nothing else does."""

    __tablename__ = "claim"
    __table_args__ = (
        _one_of("standing", Authorization),
        Index(
            "one_live_claim_per_referral",
            "referral_id",
            unique=True,
            postgresql_where=text("standing NOT IN ('denied', 'cancelled')"),
        ),
        Index("claim_members", "members", postgresql_using="gin"),
    )

    referral_id: UUID = Field(foreign_key="referral.id", index=True)
    patient_id: UUID = Field(index=True)
    coverage_id: UUID = Field(foreign_key="enclosure.id")
    payer: str = Field(index=True)
    members: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    consented: bool
    status: str = "active"
    standing: str = Authorization.REQUESTED
    created_at: datetime


class ClaimResponse(ResourceRow, Base, table=True):
    """An insurer's answer to a Claim; the newest one decides."""

    __tablename__ = "claim_response"
    __table_args__ = (
        Index("one_current_response", "claim_id", unique=True, postgresql_where=text("current")),
    )

    claim_id: UUID = Field(foreign_key="claim.id", index=True)
    patient_id: UUID
    payer: str
    status: str = "active"
    outcome: str
    standing: str
    current: bool = True
    created_at: datetime


add_shared_tables(Base.metadata)
