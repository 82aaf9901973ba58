"""Rows of `notifications`: what it must know of a referral to tell the right people, and what it told them.

Invariants:
- One notification for each (event, recipient, channel), however often the event comes.
- An attempt is recorded before the channel is tried, so that a crash leaves it `started`, never unknown.
- A patient's link is kept as the hash of its secret alone; it has at most one answer.
- Times are care time, except `machine_lease_until`: a lease protects against another process, not the care.
"""

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.notifications.states import Outcome, Status
from shared.db.models import Aggregate, Resource
from shared.people import ChannelConsent, ContactPoint, KnownPerson
from shared.reasons import Reason


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


class KnownVisit(SQLModel):
    """What `scheduling` said last of a visit, for the patient whose it is.

    `sequence` counts from 0 the times that it has had, and its end: the SEQUENCE of its calendar entry.
    """

    __tablename__ = "known_visit"

    id: str = Field(primary_key=True)
    referral_id: str = Field(foreign_key="known_referral.id", index=True)
    patient_id: str
    site: str
    kind: str | None = None
    practitioner: str | None = None
    room: str | None = None
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    status: str
    sequence: int = 0


class KnownOffer(SQLModel):
    """A freed time that `scheduling` offers to a patient, until when, and whether it still stands."""

    __tablename__ = "known_offer"

    id: str = Field(primary_key=True)
    visit_id: str
    referral_id: str = Field(foreign_key="known_referral.id", index=True)
    practitioner: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    until: AwareDatetime
    stands: bool

    def can_be_taken(self, now: datetime) -> bool:
        """Tell whether it can be answered now."""
        return self.stands and now < self.until


class PatientChoice(SQLModel):
    """How a patient wants to be reminded: how many days before a visit, and whether with a calendar file."""

    __tablename__ = "patient_choice"

    patient_id: str = Field(primary_key=True)
    reminder_days: list[int] = Field(sa_type=JSONB)
    sends_calendar: bool
    chosen_at: AwareDatetime


class PatientLink(Aggregate):
    """The link of one message to a patient: `mark` is the hash of its secret, which only the message has.

    It opens with the patient's birth date, which may be wrong `tries_left` times, until `ends_at`; about a
    visit it takes one answer, which a repeat gets again, and before a first one the intake form, once.
    `starts_at` is when the visit was to begin as told.
    """

    __tablename__ = "patient_link"

    mark: bytes = Field(unique=True)
    notification_id: UUID = Field(foreign_key="notification.id", index=True)
    patient_id: str
    referral_id: str
    visit_id: str | None = None
    starts_at: AwareDatetime | None = None
    offer_id: str | None = None
    made_at: AwareDatetime
    ends_at: AwareDatetime
    tries_left: int
    answer: str | None = None
    comment: str | None = None
    answered_at: AwareDatetime | None = None
    intake_at: AwareDatetime | None = None


class Notification(Resource):
    """One message to one recipient by one channel about one event; answered as a Communication.

    Of a message to a patient about a visit, `visit_id` is which and `visit_starts_at` what it tells; one
    about a time that is offered names the offer.
    """

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
    visit_id: str | None = None
    visit_starts_at: AwareDatetime | None = None
    offer_id: str | None = None
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
