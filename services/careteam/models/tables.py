"""The tables of this database, with the constraints that make bad states impossible."""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from services.careteam.models.rows import (
    Answers,
    CareTask,
    Caseload,
    Decision,
    EndedReferral,
    Goal,
    KnownPatient,
    Meeting,
    MeetingParticipant,
    Message,
    Minutes,
    Outcome,
    Plan,
    Team,
    TeamMember,
)
from services.careteam.states import (
    LIVE_ACTIONS,
    LIVE_CASES,
    ActionState,
    CaseState,
    GoalState,
    MeetingState,
    PlanState,
    TeamState,
)
from shared.db.models import one_of
from shared.db.tables import add_shared_tables
from shared.fhir.codes import TaskCode


class Base(SQLModel, registry=registry()):
    """Base of this service's tables, with metadata of its own."""


class EndedReferralTable(EndedReferral, Base, table=True):
    """The table of EndedReferral rows."""


class KnownPatientTable(KnownPatient, Base, table=True):
    """The table of KnownPatient rows."""


class TeamTable(Team, Base, table=True):
    """The table of Team rows."""

    __table_args__ = (
        UniqueConstraint("referral_id", name="one_team_per_referral"),
        one_of("status", TeamState, name="team_status"),
        CheckConstraint("(status = 'inactive') = (ended_at IS NOT NULL)", name="team_end"),
    )


class TeamMemberTable(TeamMember, Base, table=True):
    """The table of TeamMember rows."""

    __table_args__ = (
        Index(
            "one_membership_at_a_time",
            "team_id",
            "practitioner",
            unique=True,
            postgresql_where=text("left_at IS NULL"),
        ),
        CheckConstraint("left_at >= joined_at", name="left_after_joined"),
        Index("team_member_by_practitioner", "practitioner", "team_id"),
    )


class CaseloadTable(Caseload, Base, table=True):
    """The table of Caseload rows."""


class PlanTable(Plan, Base, table=True):
    """The table of Plan rows."""

    __table_args__ = (
        UniqueConstraint("team_id", name="one_plan_per_team"),
        one_of("status", PlanState, name="plan_status"),
        Index(
            "plan_drafted",
            *("drafted_at", "id"),
            postgresql_where=text(f"status = '{PlanState.DRAFT}'"),
        ),
        CheckConstraint(
            "status NOT IN ('active', 'completed') OR activated_at IS NOT NULL", name="plan_start"
        ),
    )


class GoalTable(Goal, Base, table=True):
    """The table of Goal rows."""

    __table_args__ = (one_of("lifecycle_status", GoalState, name="goal_status"),)


class MeetingTable(Meeting, Base, table=True):
    """The table of Meeting rows."""

    __table_args__ = (
        UniqueConstraint("site", "starts_at", name="one_meeting_per_hour"),
        one_of("state", MeetingState, name="meeting_state"),
        CheckConstraint("ends_at > starts_at", name="meeting_hour"),
    )


class MeetingParticipantTable(MeetingParticipant, Base, table=True):
    """The table of MeetingParticipant rows."""

    __table_args__ = (Index("meeting_participant_by_person", "practitioner", "meeting_id"),)


def _listed(*states: str) -> str:
    return ", ".join(repr(str(state)) for state in states)


class CareTaskTable(CareTask, Base, table=True):
    """The table of CareTask rows; a check holds cases and actions each to their own states."""

    __table_args__ = (
        Index(
            "one_live_case_per_team",
            "team_id",
            unique=True,
            postgresql_where=text(f"code = '{TaskCode.AGENDA_ITEM}' AND state IN ({_listed(*LIVE_CASES)})"),
        ),
        CheckConstraint(
            f"(code = '{TaskCode.AGENDA_ITEM}' AND state IN ({_listed(*CaseState)}))"
            f" OR (code = '{TaskCode.ACTION}' AND due_at IS NOT NULL"
            f" AND state IN ({_listed(*ActionState)}))",
            name="task_state",
        ),
        # The pages of a worklist: what is open, of all sites (there are few of both) and of an owner.
        Index(
            "open_action",
            *("due_at", "authored_at", "id"),
            postgresql_where=text(f"code = '{TaskCode.ACTION}' AND state IN ({_listed(*LIVE_ACTIONS)})"),
        ),
        Index(
            "open_action_of_owner",
            *("owner", "due_at", "authored_at", "id"),
            postgresql_where=text(f"code = '{TaskCode.ACTION}' AND state IN ({_listed(*LIVE_ACTIONS)})"),
        ),
        Index(
            "waiting_case",
            *("authored_at", "id"),
            postgresql_where=text(f"code = '{TaskCode.AGENDA_ITEM}' AND state IN ({_listed(*LIVE_CASES)})"),
        ),
        CheckConstraint("state <> 'on-agenda' OR meeting_id IS NOT NULL", name="agenda_has_meeting"),
        Index(
            "one_case_at_a_position",
            "meeting_id",
            "position",
            unique=True,
            postgresql_where=text("position IS NOT NULL"),
        ),
    )


class MinutesTable(Minutes, Base, table=True):
    """The table of Minutes rows."""

    __table_args__ = (UniqueConstraint("meeting_id", name="one_minutes_per_meeting"),)


class DecisionTable(Decision, Base, table=True):
    """The table of Decision rows."""


class AnswersTable(Answers, Base, table=True):
    """The table of Answers rows."""


class OutcomeTable(Outcome, Base, table=True):
    """The table of Outcome rows."""

    __table_args__ = (
        Index(
            "one_baseline_per_instrument",
            "team_id",
            "instrument",
            unique=True,
            postgresql_where=text("baseline"),
        ),
        CheckConstraint("score >= 0 AND score <= 100", name="score_range"),
    )


class MessageTable(Message, Base, table=True):
    """The table of Message rows."""


add_shared_tables(Base.metadata)
