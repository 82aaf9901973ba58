"""The tables of careteam's database, with the constraints that make bad states impossible.

Every row that is a FHIR resource keeps its bytes beside the columns that are searched and constrained. The
case (agenda item) and the action are two tables, though both are Tasks in FHIR: `CareTask` holds both, and a
check holds each to its own members.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Column, Index, Numeric, Text, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from services.careteam.states import ActionState, CaseState, GoalState, MeetingState, PlanState, TeamState
from shared.db import ResourceRow
from shared.db.tables import add_shared_tables
from shared.fhir.codes import TaskCode
from shared.ids import new_id


class Base(SQLModel, registry=registry()):
    """careteam's own metadata: no other service's tables are in it."""


def _one_of(
    column: str, values: type[TeamState] | type[PlanState] | type[GoalState] | type[MeetingState]
) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


class EndedReferral(Base, table=True):
    """A referral that ended, kept so that a booking which is heard later forms no team."""

    __tablename__ = "ended_referral"

    referral_id: str = Field(primary_key=True)
    reason: str
    at: datetime


class Team(ResourceRow, Base, table=True):
    """The team of one referral (CareTeam)."""

    __table_args__ = (
        UniqueConstraint("referral_id", name="one_team_per_referral"),
        CheckConstraint(_one_of("status", TeamState), name="team_status"),
        CheckConstraint("(status = 'inactive') = (ended_at IS NOT NULL)", name="team_end"),
    )

    referral_id: str
    patient_id: str = Field(index=True)
    programme: str
    site: str = Field(index=True)
    status: str = TeamState.ACTIVE
    formed_at: datetime
    ended_at: datetime | None = None
    ended_because: str | None = None
    identifiers: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))


class TeamMember(Base, table=True):
    """A person's time in a team; who left before its end sees nothing of it any more."""

    __tablename__ = "team_member"
    __table_args__ = (
        Index(
            "one_membership_at_a_time",
            "team_id",
            "practitioner",
            unique=True,
            postgresql_where=sql("left_at IS NULL"),
        ),
        CheckConstraint("left_at >= joined_at", name="left_after_joined"),
        Index("team_member_by_practitioner", "practitioner", "team_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    team_id: UUID = Field(foreign_key="team.id")
    practitioner: str
    discipline: str
    joined_at: datetime
    left_at: datetime | None = None


class Plan(ResourceRow, Base, table=True):
    """The plan of one team (CarePlan); `awaited_review` is the review week that found no measurement."""

    __table_args__ = (
        UniqueConstraint("team_id", name="one_plan_per_team"),
        CheckConstraint(_one_of("status", PlanState), name="plan_status"),
        CheckConstraint(
            "status NOT IN ('active', 'completed') OR activated_at IS NOT NULL", name="plan_start"
        ),
    )

    team_id: UUID = Field(foreign_key="team.id")
    referral_id: str = Field(index=True)
    patient_id: str = Field(index=True)
    owner: str
    status: str = PlanState.DRAFT
    drafted_at: datetime
    activated_at: datetime | None = None
    ended_at: datetime | None = None
    awaited_review: int | None = None


class Goal(ResourceRow, Base, table=True):
    """A goal of a plan."""

    __table_args__ = (CheckConstraint(_one_of("lifecycle_status", GoalState), name="goal_status"),)

    plan_id: UUID = Field(foreign_key="plan.id", index=True)
    team_id: UUID = Field(foreign_key="team.id", index=True)
    patient_id: str = Field(index=True)
    lifecycle_status: str = GoalState.PROPOSED


class Meeting(ResourceRow, Base, table=True):
    """A case meeting of a site (Appointment); `status` is FHIR's, `state` ours."""

    __table_args__ = (
        UniqueConstraint("site", "starts_at", name="one_meeting_per_hour"),
        CheckConstraint(_one_of("state", MeetingState), name="meeting_state"),
        CheckConstraint("ends_at > starts_at", name="meeting_hour"),
    )

    site: str
    starts_at: datetime = Field(index=True)
    ends_at: datetime
    chair: str
    state: str = MeetingState.SCHEDULED
    status: str = "booked"
    opened_at: datetime | None = None
    closed_at: datetime | None = None


class MeetingParticipant(Base, table=True):
    """Who is invited to a meeting, and whether they came."""

    __tablename__ = "meeting_participant"
    __table_args__ = (Index("meeting_participant_by_person", "practitioner", "meeting_id"),)

    meeting_id: UUID = Field(foreign_key="meeting.id", primary_key=True)
    practitioner: str = Field(primary_key=True)
    attended: bool = False


class CareTask(ResourceRow, Base, table=True):
    """A case on an agenda or an action with an owner (Task).

    `status` is FHIR's; `state` is the case's life cycle (CaseState) or the action's (ActionState).
    """

    __tablename__ = "care_task"
    __table_args__ = (
        Index(
            "one_live_case_per_team",
            "team_id",
            unique=True,
            postgresql_where=sql("code = 'agenda-item' AND state IN ('queued', 'on-agenda', 'carried-over')"),
        ),
        CheckConstraint(
            f"(code = '{TaskCode.AGENDA_ITEM}' AND state IN ({', '.join(repr(str(s)) for s in CaseState)}))"
            f" OR (code = '{TaskCode.ACTION}' AND due_at IS NOT NULL"
            f" AND state IN ({', '.join(repr(str(s)) for s in ActionState)}))",
            name="task_state",
        ),
        CheckConstraint("state <> 'on-agenda' OR meeting_id IS NOT NULL", name="agenda_has_meeting"),
    )

    team_id: UUID = Field(foreign_key="team.id", index=True)
    referral_id: str = Field(index=True)
    patient_id: str = Field(index=True)
    code: str
    state: str
    status: str
    owner: str = Field(index=True)
    authored_at: datetime
    due_at: datetime | None = None
    meeting_id: UUID | None = Field(default=None, foreign_key="meeting.id", index=True)
    case_id: UUID | None = Field(default=None, foreign_key="care_task.id")
    plan_id: UUID | None = Field(default=None, foreign_key="plan.id")


class Message(ResourceRow, Base, table=True):
    """A message of a team member to the team about its patient (Communication)."""

    team_id: UUID = Field(foreign_key="team.id", index=True)
    referral_id: str = Field(index=True)
    patient_id: str = Field(index=True)
    sender: str
    sent_at: datetime
    status: str = "completed"
    answers: UUID | None = Field(default=None, foreign_key="message.id")


class Answers(ResourceRow, Base, table=True):
    """A questionnaire as it was answered (QuestionnaireResponse)."""

    team_id: UUID = Field(foreign_key="team.id", index=True)
    referral_id: str = Field(index=True)
    patient_id: str = Field(index=True)
    questionnaire: str
    authored_at: datetime


class Outcome(ResourceRow, Base, table=True):
    """A scored instrument (Observation); the first of an instrument is the baseline."""

    __table_args__ = (
        Index(
            "one_baseline_per_instrument",
            "team_id",
            "instrument",
            unique=True,
            postgresql_where=sql("baseline"),
        ),
        CheckConstraint("score >= 0 AND score <= 100", name="score_range"),
    )

    team_id: UUID = Field(foreign_key="team.id", index=True)
    referral_id: str = Field(index=True)
    patient_id: str = Field(index=True)
    instrument: str
    code: str
    status: str = "final"
    score: Decimal = Field(sa_column=Column(Numeric(6, 2), nullable=False))
    effective_at: datetime = Field(index=True)
    baseline: bool
    answers_id: UUID | None = Field(default=None, foreign_key="answers.id")


class Minutes(ResourceRow, Base, table=True):
    """The minutes of a meeting (Composition): preliminary when it closes, final when the chair signs."""

    __table_args__ = (UniqueConstraint("meeting_id", name="one_minutes_per_meeting"),)

    meeting_id: UUID = Field(foreign_key="meeting.id")
    site: str
    status: str = "preliminary"
    dated_at: datetime


class Decision(ResourceRow, Base, table=True):
    """Who decided what, when and why (Provenance); it is about a case or about minutes."""

    __tablename__ = "decision"

    target: str = Field(index=True)
    recorded_at: datetime
    team_id: UUID | None = Field(default=None, foreign_key="team.id", index=True)
    meeting_id: UUID | None = Field(default=None, foreign_key="meeting.id", index=True)


add_shared_tables(Base.metadata)
