"""Tables of `notifications`: the rows with the constraints that make bad states impossible."""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from services.notifications.models.rows import (
    Attempt,
    EndedReceiver,
    KnownAuthorization,
    KnownOffer,
    KnownPatient,
    KnownReferral,
    KnownVisit,
    Notification,
    PatientChoice,
    PatientLink,
    TeamMember,
)
from services.notifications.states import OPEN, Answer, Outcome, Status
from shared.db.models import one_of
from shared.db.tables import add_shared_tables


class Base(SQLModel, registry=registry()):
    """Metadata of this service's database."""


_OPEN = ", ".join(repr(status.value) for status in OPEN)


class KnownPatientTable(KnownPatient, Base, table=True):
    """The table of known patients."""


class KnownReferralTable(KnownReferral, Base, table=True):
    """The table of known referrals."""


class KnownAuthorizationTable(KnownAuthorization, Base, table=True):
    """The table of known authorizations."""


class TeamMemberTable(TeamMember, Base, table=True):
    """The table of team members."""


class KnownVisitTable(KnownVisit, Base, table=True):
    """The table of known visits; a morning's reminders are found by when they begin."""

    __table_args__ = (
        Index("known_visit_to_come", "site", "starts_at", "id", postgresql_where=text("status = 'booked'")),
    )


class KnownOfferTable(KnownOffer, Base, table=True):
    """The table of known offers."""


class PatientChoiceTable(PatientChoice, Base, table=True):
    """The table of patients' choices."""


class PatientLinkTable(PatientLink, Base, table=True):
    """The table of links."""

    __table_args__ = (
        one_of("answer", Answer, name="answer_known"),
        CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="answered_some_time"),
        CheckConstraint("tries_left >= 0", name="tries_are_counted"),
    )


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
        Index("notification_by_offer", "offer_id", postgresql_where=text("offer_id IS NOT NULL")),
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
