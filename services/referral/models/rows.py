"""The rows of this database, as verbs read and change them; their tables stand in `tables.py`."""

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime
from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from services.referral.models.facts import Finding, RecordedConsent
from services.referral.states import Authorization, State
from shared.db.models import Resource
from shared.ids import new_undated_id
from shared.reasons import Reason


class Patient(Resource):
    """A person as the clinic knows them; `identifiers` are all that are known, as `system|value`.

    `requester` is the sender whose description the row still is, None once the clinic knows more than that
    sender said; `replaced_by` is the record that goes on, where this one was merged into it: `replaced_at`,
    when its version was `replaced_from`. `channel_consents` are what the clinic has recorded of the patient's
    consent to channels: what a sender wrote into its Patient is not among them; `found_by` are the keys by
    which the patient is searched (`fhir.found_by`).
    """

    __tablename__ = "patient"

    id: UUID = Field(default_factory=new_undated_id, primary_key=True)
    identifiers: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    family: str = ""
    given: str = ""
    birth_date: str | None = None
    deceased: bool = False
    requester: str | None = None
    replaced_by: UUID | None = Field(default=None, foreign_key="patient.id")
    replaced_at: AwareDatetime | None = None
    replaced_from: int | None = None
    channel_consents: list[RecordedConsent] = Field(
        default_factory=list, sa_type=JSONB, sa_column_kwargs={"server_default": "[]"}
    )
    found_by: list[str] = Field(
        default_factory=list, sa_type=ARRAY(Text), sa_column_kwargs={"server_default": "{}"}
    )

    @property
    def patient_id(self) -> UUID:
        """Whom the row is about, as every other row says it."""
        return self.id


class PatientRepublication(SQLModel):
    """How far all patients were published again: up to `last_id`, in order of their ids; there is one row."""

    __tablename__ = "patient_republication"

    name: str = Field(default="all", primary_key=True)
    last_id: UUID | None = None
    published: int = 0
    is_finished: bool = True


class SourceRecord(Resource):
    """What one sender says of a patient whose row is not that sender's own description: what it reads."""

    __tablename__ = "source_record"

    id: UUID = Field(default_factory=new_undated_id, primary_key=True)
    patient_id: UUID = Field(foreign_key="patient.id")
    requester: str
    identifiers: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    family: str = ""
    given: str = ""
    birth_date: str | None = None
    found_by: list[str] = Field(
        default_factory=list, sa_type=ARRAY(Text), sa_column_kwargs={"server_default": "{}"}
    )


class PatientIdentifier(SQLModel):
    """Who carries an identifier: a shared card, or a slip of the pen, gives it to several."""

    __tablename__ = "patient_identifier"

    token: str = Field(primary_key=True)
    patient_id: UUID = Field(primary_key=True, foreign_key="patient.id", index=True)


class Referral(Resource):
    """A ServiceRequest that was sent to us, and where it stands.

    `sent_at` is the raw clock and never changes; `complete_at` is set once, when nothing needed is missing;
    `answer` is what the sender was told, given again when the same `content` (a digest) is sent again, None
    where an older version took it; `reason` says why it stands where it stands, `funding` and `sessions` what
    became of these; with a `doubt` about who the patient is a person looks; `team` are the practitioners who
    are in the patient's care team for it, or were until the team's own end, `reviewers` those who may decide
    it while it is urgent and not accepted. `priority` is triage's, what the sender asked is in the resource.
    `has_duplicates` says that others were merged into it. For the analytics `missing_at_first` keeps what the
    first verdict missed (None where nobody kept it), `first_seen_at` when the first visit that took place
    began, and `care_began_at` when the care plan became active. `came_by` is the way by which it came, where
    a coordinator entered it for its sender; where the patient `self_referred`, the clinic is the requester,
    and nobody outside reads it. `state_since` is when it came to the state in which it stands.
    """

    __tablename__ = "referral"

    patient_id: UUID = Field(foreign_key="patient.id", index=True)
    requester: str
    sender: str
    identifiers: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    status: str = "active"
    intent: str = "order"
    priority: str = "routine"
    priority_by_person: bool = False
    authored_on: AwareDatetime | None = None
    sent_at: AwareDatetime
    complete_at: AwareDatetime | None = None
    due_on: date
    site: str
    state: str = State.AWAITING_TRIAGE
    turn: str
    reason: list[Reason] = Field(default_factory=list, sa_type=JSONB)
    funding: list[Reason] = Field(default_factory=list, sa_type=JSONB)
    sessions: list[Reason] = Field(default_factory=list, sa_type=JSONB)
    stream: str | None = None
    payer: str | None = None
    programme: str | None = None
    rules: list[Finding] = Field(default_factory=list, sa_type=JSONB)
    team: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    asked: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    unavailable: list[list[str]] = Field(default_factory=list, sa_type=JSONB)
    doubt: bool = False
    unacknowledged: bool = False
    suspected_of: UUID | None = None
    merged_into: UUID | None = None
    has_duplicates: bool = False
    report: UUID | None = None
    answer: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    content: str | None = None
    reviewers: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    missing_at_first: list[str] | None = Field(default=None, sa_type=ARRAY(Text))
    first_seen_at: AwareDatetime | None = None
    care_began_at: AwareDatetime | None = None
    came_by: str | None = None
    self_referred: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    state_since: AwareDatetime | None = None


class SenderIdentifier(SQLModel):
    """The sender's identifiers of a referral: the same one again is the same referral."""

    __tablename__ = "sender_identifier"

    requester: str = Field(primary_key=True)
    token: str = Field(primary_key=True)
    referral_id: UUID


class ReceivedMessage(SQLModel):
    """A message that was answered: `key` is made of its id and its content, `called` are marks of how its
    sender's system calls the referral that it was about.
    """

    __tablename__ = "received_message"

    requester: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    referral_id: UUID = Field(foreign_key="referral.id", index=True)
    called: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    answer: bytes
    answered_at: AwareDatetime


class Enclosure(Resource):
    """Any other resource of a referral: what came with it, our Provenance, and the report at the end."""

    __tablename__ = "enclosure"

    type: str
    referral_id: UUID = Field(foreign_key="referral.id")
    patient_id: UUID = Field(index=True)
    requester: str
    identifiers: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    status: str | None = None


class DirectoryEntry(SQLModel):
    """Which person or organisation of a sender carries an identifier: the first, for good."""

    __tablename__ = "directory_entry"

    requester: str = Field(primary_key=True)
    type: str = Field(primary_key=True)
    token: str = Field(primary_key=True)
    enclosure_id: UUID = Field(foreign_key="enclosure.id")


class Task(Resource):
    """A Task: the process Task of a referral (one each) and what people are asked to do.

    `site` and `requester` are those of its referral; by `due_at` it should be done, None where nothing says.
    """

    __tablename__ = "task"

    referral_id: UUID = Field(foreign_key="referral.id")
    patient_id: UUID = Field(index=True)
    claim_id: UUID | None = None
    code: str
    status: str
    owner: str
    identifiers: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    authored_on: AwareDatetime
    site: str = Field(default="", sa_column_kwargs={"server_default": ""})
    requester: str = Field(default="", sa_column_kwargs={"server_default": ""})
    due_at: AwareDatetime | None = None


class Claim(Resource):
    """A request for authorization; `consented` opens it to its insurer and nothing else does.

    `units_known` is false where sessions were held before they were counted.
    """

    __tablename__ = "claim"

    referral_id: UUID = Field(foreign_key="referral.id", index=True)
    patient_id: UUID = Field(index=True)
    coverage_id: UUID = Field(foreign_key="enclosure.id")
    payer: str = Field(index=True)
    members: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    consented: bool
    status: str = "active"
    standing: str = Authorization.REQUESTED
    created_at: AwareDatetime
    units_known: bool = Field(default=True, sa_column_kwargs={"server_default": "true"})


class HeldSession(SQLModel):
    """A session of a referral that took place, as scheduling says: a unit of this product is used.

    `product` is empty where the discipline is not known any more.
    """

    __tablename__ = "held_session"

    appointment_id: UUID = Field(primary_key=True)
    referral_id: UUID = Field(foreign_key="referral.id", index=True)
    product: str


class ClaimResponse(Resource):
    """An insurer's answer to a Claim; the newest one decides."""

    __tablename__ = "claim_response"

    claim_id: UUID = Field(foreign_key="claim.id", index=True)
    patient_id: UUID
    payer: str
    status: str = "active"
    outcome: str
    standing: str
    current: bool = True
    created_at: AwareDatetime
