"""Tables of `notifications`: what it must know of a referral to tell the right people, and what it told them.

Invariants:
- One notification for each (event, recipient, channel), however often the event comes.
- An attempt is recorded before the channel is tried, so that a crash leaves it `started`, never unknown.
- Times are care time, except `machine_lease_until`: a lease protects against another process, not the care.
"""

from uuid import UUID

from pydantic import AwareDatetime
from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from services.notifications.states import OPEN, Outcome, Status
from shared.db.models import Resource, one_of
from shared.db.tables import add_shared_tables
from shared.people import ChannelConsent, ContactPoint, KnownPerson
from shared.reasons import Reason


class Base(SQLModel, registry=registry()):
    """Metadata of this service's database."""


_OPEN = ", ".join(repr(status.value) for status in OPEN)


class KnownPatient(SQLModel):
    """What `referral` said last of a patient, and with which version: who it is, how to reach them, by what.

    `contact_points` are in the order in which they are to be tried, `channel_consents` what the clinic has
    recorded: where nothing is, nothing is permitted.
    """

    __tablename__ = "known_patient"

    id: str = Field(primary_key=True)
    event_version: int
    person: KnownPerson = Field(sa_type=JSONB)
    contact_points: list[ContactPoint] = Field(sa_type=JSONB)
    channel_consents: list[ChannelConsent] = Field(sa_type=JSONB)


class KnownReferral(SQLModel):
    """Whose referral it is, as `referral.received` said, and which site cares for it now.

    `person` and `contact_points` are the patient's at that time; what `known_patient` says of them is newer.
    """

    __tablename__ = "known_referral"

    id: str = Field(primary_key=True)
    patient_id: str
    requester: str
    site: str
    person: KnownPerson | None = Field(default=None, sa_type=JSONB)
    contact_points: list[ContactPoint] | None = Field(default=None, sa_type=JSONB)


class KnownAuthorization(SQLModel):
    """A Claim on an insurer's work list; `consented` says whether the patient's consent to it stands."""

    __tablename__ = "known_authorization"

    claim_id: str = Field(primary_key=True)
    referral_id: str = Field(foreign_key="known_referral.id", index=True)
    payer: str
    consented: bool


class TeamMember(SQLModel):
    """A current member of the team of a referral; who left has no row."""

    __tablename__ = "team_member"

    referral_id: str = Field(primary_key=True, foreign_key="known_referral.id")
    practitioner: str = Field(primary_key=True)


class Notification(Resource):
    """One message to one recipient by one channel about one event; answered as a Communication."""

    __tablename__ = "notification"

    event_id: str
    event_type: str
    event_key: str
    audience: str
    recipient: str
    recipient_id: str
    channel: str
    focus: str | None = None
    referral_id: str | None = Field(default=None, foreign_key="known_referral.id", index=True)
    claim_id: str | None = None
    patient_id: str | None = None
    site: str | None = None
    status: str = Status.PREPARATION
    reason: Reason | None = Field(default=None, sa_type=JSONB)
    created_at: AwareDatetime
    sent_at: AwareDatetime | None = None
    attempts: int = 0
    next_attempt_at: AwareDatetime | None
    lease: UUID | None = None
    machine_lease_until: AwareDatetime | None = None
    traceparent: str | None = None


class EndedReceiver(SQLModel):
    """A receiver of clinic.yaml that said that it is gone; under this id nothing is sent to it any more."""

    __tablename__ = "ended_receiver"

    id: str = Field(primary_key=True)
    at: AwareDatetime


class Attempt(SQLModel):
    """One attempt to hand a message to its channel; `detail` holds no address and no text of the message."""

    __tablename__ = "notification_attempt"

    notification_id: UUID = Field(primary_key=True, foreign_key="notification.id")
    number: int = Field(primary_key=True)
    at: AwareDatetime
    outcome: str = Outcome.STARTED
    detail: str = ""


class KnownPatientTable(KnownPatient, Base, table=True):
    """The table of known patients."""


class KnownReferralTable(KnownReferral, Base, table=True):
    """The table of known referrals."""


class KnownAuthorizationTable(KnownAuthorization, Base, table=True):
    """The table of known authorizations."""


class TeamMemberTable(TeamMember, Base, table=True):
    """The table of team members."""


class NotificationTable(Notification, Base, table=True):
    """The table of messages: one for each event, recipient and channel, and what is open is due some time."""

    __table_args__ = (
        UniqueConstraint("event_id", "recipient", "channel", name="told_once"),
        one_of("status", Status, name="status_known"),
        CheckConstraint(
            f"(next_attempt_at IS NOT NULL) = (status IN ({_OPEN}))", name="open_is_due_some_time"
        ),
        Index("notification_by_due", "next_attempt_at", postgresql_where=text(f"status IN ({_OPEN})")),
        Index("notification_by_status", "status"),
        Index("notification_by_recipient", "recipient", "last_updated"),
        Index(
            "notification_by_receiver",
            "recipient",
            "id",
            postgresql_where=text(f"channel = 'webhook' AND status IN ({_OPEN})"),
        ),
    )


class EndedReceiverTable(EndedReceiver, Base, table=True):
    """The table of receivers that have ended."""


class AttemptTable(Attempt, Base, table=True):
    """The table of attempts."""

    __table_args__ = (one_of("outcome", Outcome, name="outcome_known"),)


add_shared_tables(Base.metadata)
