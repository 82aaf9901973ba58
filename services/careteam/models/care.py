"""Teams, their members, plans and goals, as verbs read and change them; their tables stand in `tables.py`."""

from uuid import UUID

from pydantic import AwareDatetime
from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from services.careteam.states import GoalState, PlanState, TeamState
from shared.db.models import Resource
from shared.ids import new_id


class EndedReferral(SQLModel):
    """A referral that ended, kept so that a booking which arrives later forms no team."""

    __tablename__ = "ended_referral"

    referral_id: str = Field(primary_key=True)
    reason: str
    at: AwareDatetime


class Team(Resource):
    """The team of one referral (CareTeam)."""

    __tablename__ = "team"

    referral_id: str
    patient_id: str = Field(index=True)
    programme: str
    site: str = Field(index=True)
    status: str = TeamState.ACTIVE
    formed_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    ended_because: str | None = None
    identifiers: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))


class TeamMember(SQLModel):
    """A person's time in a team; who left before its end sees nothing of it any more."""

    __tablename__ = "team_member"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    team_id: UUID = Field(foreign_key="team.id")
    practitioner: str
    discipline: str
    joined_at: AwareDatetime
    left_at: AwareDatetime | None = None


class Caseload(SQLModel):
    """In how many active teams of a site a person is now; changes with the team, in its transaction."""

    __tablename__ = "caseload"

    site: str = Field(primary_key=True)
    practitioner: str = Field(primary_key=True)
    teams: int


class Plan(Resource):
    """The plan of one team (CarePlan); `awaited_review` is the review week that found no measurement."""

    __tablename__ = "plan"

    team_id: UUID = Field(foreign_key="team.id")
    referral_id: str = Field(index=True)
    patient_id: str = Field(index=True)
    owner: str
    status: str = PlanState.DRAFT
    drafted_at: AwareDatetime
    activated_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    awaited_review: int | None = None


class Goal(Resource):
    """A goal of a plan."""

    __tablename__ = "goal"

    plan_id: UUID = Field(foreign_key="plan.id", index=True)
    team_id: UUID = Field(foreign_key="team.id", index=True)
    patient_id: str = Field(index=True)
    lifecycle_status: str = GoalState.PROPOSED
