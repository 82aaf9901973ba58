"""The tables of Tasks about visits and of freed times, with the constraints that make bad states impossible.

- A site has at most one open Task that asks to plan visits anew.
- A freed time is taken by one patient, and a patient is asked one thing at a time.
- A visit is asked to be recorded once at a time, and a patient to be called once for a referral.
"""

from sqlalchemy import CheckConstraint, Index, text

from services.scheduling.models.offers import OfferRound, TimeOffer
from services.scheduling.models.rows import ReplanTask, TellingTask, VisitTask
from services.scheduling.models.tables import Base
from services.scheduling.states import OfferStatus, ReplanStatus, RoundStatus, VisitTaskStatus
from shared.db.models import one_of


class ReplanTaskTable(ReplanTask, Base, table=True):
    """The table of ReplanTask rows."""

    __table_args__ = (
        one_of("status", ReplanStatus, name="status_is_known"),
        Index(
            "one_open_replan_task_per_site",
            "site",
            unique=True,
            postgresql_where=text("status = 'requested'"),
        ),
    )


class TellingTaskTable(TellingTask, Base, table=True):
    """The table of TellingTask rows."""

    __table_args__ = (
        one_of("status", VisitTaskStatus, name="status_is_known"),
        Index(
            "one_open_telling_task_per_visit",
            "appointment_id",
            unique=True,
            postgresql_where=text("status = 'requested'"),
        ),
        # The page of a worklist: whom to tell, of a site.
        Index(
            "telling_task_open",
            *("site", "due_at", "opened_at", "id"),
            postgresql_where=text("status = 'requested'"),
        ),
    )


class VisitTaskTable(VisitTask, Base, table=True):
    """The table of VisitTask rows."""

    __table_args__ = (
        CheckConstraint("code IN ('record-visit', 'recall')", name="code_is_known"),
        one_of("status", VisitTaskStatus, name="status_is_known"),
        Index(
            "one_open_recall_per_referral",
            "referral_id",
            unique=True,
            postgresql_where=text("code = 'recall' AND status = 'requested'"),
        ),
        Index(
            "one_open_task_to_record_a_visit",
            "appointment_id",
            unique=True,
            postgresql_where=text("code = 'record-visit' AND status = 'requested'"),
        ),
        # The page of a worklist: whom to call, of a site.
        Index(
            "visit_task_open",
            *("site", "code", "due_at", "opened_at", "id"),
            postgresql_where=text("status = 'requested'"),
        ),
    )


class OfferRoundTable(OfferRound, Base, table=True):
    """The table of OfferRound rows."""

    __table_args__ = (
        one_of("status", RoundStatus, name="status_is_known"),
        CheckConstraint("ends_at > starts_at", name="takes_some_time"),
        Index("offer_round_of_site", "site", "starts_at"),
        # A seat is offered to one batch at a time.
        Index(
            "offer_round_of_group",
            *("group_session", "seat"),
            unique=True,
            postgresql_where=text("status = 'open' AND seat IS NOT NULL"),
        ),
    )


class OfferTable(TimeOffer, Base, table=True):
    """The table of Offer rows."""

    __table_args__ = (
        one_of("status", OfferStatus, name="status_is_known"),
        CheckConstraint("due_at <= starts_at", name="ends_before_its_visit"),
        Index(
            "one_open_offer_per_patient",
            "patient_id",
            unique=True,
            postgresql_where=text("status = 'requested'"),
        ),
        Index("one_yes_per_round", "round_id", unique=True, postgresql_where=text("status = 'completed'")),
        # The page of a worklist: whom to ask, of a site.
        Index(
            "offer_open",
            *("site", "due_at", "opened_at", "id"),
            postgresql_where=text("status = 'requested'"),
        ),
    )
