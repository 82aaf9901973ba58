"""Tables of `notifications`: what it must know of a referral to tell the right people, and what it told them.

Invariants:
- One notification for each (event, recipient, channel), however often the event comes.
- An attempt is recorded before the channel is tried, so that a crash leaves it `started`, never unknown.
- Times are care time, except `machine_lease_until`: a lease protects against another process, not the care.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import registry
from sqlmodel import Field

from services.notifications.states import OPEN, Outcome, Status
from shared.db import ResourceRow, Row
from shared.db.tables import add_shared_tables


class Base(Row, registry=registry()):
    """Metadata of this service's database."""


def _one_of(column: str, values: type[Status] | type[Outcome]) -> str:
    return f"{column} IN ({', '.join(repr(value.value) for value in values)})"


_OPEN = ", ".join(repr(status.value) for status in OPEN)


class KnownReferral(Base, table=True):
    """Whose referral it is, as `referral.received` said, and which site cares for it now."""

    __tablename__ = "known_referral"
    id: str = Field(primary_key=True)
    patient_id: str
    requester: str
    site: str


class KnownAuthorization(Base, table=True):
    """A Claim on an insurer's work list; `consented` says whether the patient's consent to it stands."""

    __tablename__ = "known_authorization"
    claim_id: str = Field(primary_key=True)
    referral_id: str = Field(foreign_key="known_referral.id", index=True)
    payer: str
    consented: bool


class TeamMember(Base, table=True):
    """A current member of the team of a referral; who left has no row."""

    __tablename__ = "team_member"
    referral_id: str = Field(primary_key=True, foreign_key="known_referral.id")
    practitioner: str = Field(primary_key=True)


class Notification(ResourceRow, Base, table=True):
    """One message to one recipient by one channel about one event; answered as a Communication."""

    __tablename__ = "notification"
    __table_args__ = (
        UniqueConstraint("event_id", "recipient", "channel", name="told_once"),
        CheckConstraint(_one_of("status", Status), name="status_known"),
        CheckConstraint(
            f"(next_attempt_at IS NOT NULL) = (status IN ({_OPEN}))", name="open_is_due_some_time"
        ),
        Index(
            "notification_by_due",
            "next_attempt_at",
            postgresql_where=text(f"status IN ({_OPEN})"),
        ),
        Index("notification_by_recipient", "recipient", "last_updated"),
        Index(
            "notification_by_receiver",
            "recipient",
            "id",
            postgresql_where=text(f"channel = 'webhook' AND status IN ({_OPEN})"),
        ),
    )
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
    reason: str | None = None
    created_at: datetime
    sent_at: datetime | None = None
    attempts: int = 0
    next_attempt_at: datetime | None
    lease: UUID | None = None
    machine_lease_until: datetime | None = None
    traceparent: str | None = None


class EndedReceiver(Base, table=True):
    """A receiver of clinic.yaml that said that it is gone; under this id nothing is sent to it any more."""

    __tablename__ = "ended_receiver"
    id: str = Field(primary_key=True)
    at: datetime


class Attempt(Base, table=True):
    """One attempt to hand a message to its channel; `detail` holds no address and no text of the message."""

    __tablename__ = "notification_attempt"
    __table_args__ = (CheckConstraint(_one_of("outcome", Outcome), name="outcome_known"),)
    notification_id: UUID = Field(primary_key=True, foreign_key="notification.id")
    number: int = Field(primary_key=True)
    at: datetime
    outcome: str = Outcome.STARTED
    detail: str = ""


add_shared_tables(Base.metadata)
