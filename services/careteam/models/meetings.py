"""Meetings, who takes part, the cases and actions, minutes and who decided."""

from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime
from sqlmodel import Field, SQLModel

from services.careteam.states import MeetingState
from shared.db.models import Resource


class CaseReason(StrEnum):
    """Why a case is on an agenda."""

    FIRST_PLAN_REVIEW = "first-plan-review"
    OFF_TRACK = "off-track"
    REQUESTED = "requested"
    ACTION_OVERDUE = "action-overdue"
    ACTION_REJECTED = "action-rejected"


class Meeting(Resource):
    """A case meeting of a site (Appointment); `status` is FHIR's, `state` ours."""

    __tablename__ = "meeting"

    site: str
    starts_at: AwareDatetime = Field(index=True)
    ends_at: AwareDatetime
    chair: str
    state: str = MeetingState.SCHEDULED
    status: str = "booked"
    opened_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None


class MeetingParticipant(SQLModel):
    """Who is invited to a meeting, and whether they came."""

    __tablename__ = "meeting_participant"

    meeting_id: UUID = Field(foreign_key="meeting.id", primary_key=True)
    practitioner: str = Field(primary_key=True)
    attended: bool = False


class CareTask(Resource):
    """A case on an agenda or an action with an owner (Task).

    `status` is FHIR's; `state` is the case's life cycle (CaseState) or the action's (ActionState).
    """

    __tablename__ = "care_task"

    team_id: UUID = Field(foreign_key="team.id", index=True)
    referral_id: str = Field(index=True)
    patient_id: str = Field(index=True)
    code: str
    state: str
    status: str
    owner: str = Field(index=True)
    authored_at: AwareDatetime
    due_at: AwareDatetime | None = None
    meeting_id: UUID | None = Field(default=None, foreign_key="meeting.id", index=True)
    case_id: UUID | None = Field(default=None, foreign_key="care_task.id")
    plan_id: UUID | None = Field(default=None, foreign_key="plan.id")


class Minutes(Resource):
    """The minutes of a meeting (Composition): preliminary when it closes, final when the chair signs."""

    __tablename__ = "minutes"

    meeting_id: UUID = Field(foreign_key="meeting.id")
    site: str
    status: str = "preliminary"
    dated_at: AwareDatetime


class Decision(Resource):
    """Who decided what, when and why (Provenance); it is about a case or about minutes."""

    __tablename__ = "decision"

    target: str = Field(index=True)
    recorded_at: AwareDatetime
    team_id: UUID | None = Field(default=None, foreign_key="team.id", index=True)
    meeting_id: UUID | None = Field(default=None, foreign_key="meeting.id", index=True)
