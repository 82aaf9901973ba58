"""Teams, their members, plans and goals."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Column, Index, Text, UniqueConstraint
from sqlalchemy import text as sql
from sqlmodel import Field

from services.careteam.models.base import Base, one_of
from services.careteam.states import GoalState, PlanState, TeamState
from shared.db import ResourceRow
from shared.ids import new_id


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
        CheckConstraint(one_of("status", TeamState), name="team_status"),
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


class Caseload(Base, table=True):
    """In how many active teams of a site a person is now; changes with the team, in its transaction."""

    site: str = Field(primary_key=True)
    practitioner: str = Field(primary_key=True)
    teams: int


class Plan(ResourceRow, Base, table=True):
    """The plan of one team (CarePlan); `awaited_review` is the review week that found no measurement."""

    __table_args__ = (
        UniqueConstraint("team_id", name="one_plan_per_team"),
        CheckConstraint(one_of("status", PlanState), name="plan_status"),
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

    __table_args__ = (CheckConstraint(one_of("lifecycle_status", GoalState), name="goal_status"),)

    plan_id: UUID = Field(foreign_key="plan.id", index=True)
    team_id: UUID = Field(foreign_key="team.id", index=True)
    patient_id: str = Field(index=True)
    lifecycle_status: str = GoalState.PROPOSED
