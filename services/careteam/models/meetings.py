"""Meetings, who takes part, the cases and actions, minutes and who decided."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlmodel import Field

from services.careteam.models.base import Base, one_of
from services.careteam.states import ActionState, CaseState, MeetingState
from shared.db import ResourceRow
from shared.fhir.codes import TaskCode


class Meeting(ResourceRow, Base, table=True):
    """A case meeting of a site (Appointment); `status` is FHIR's, `state` ours."""

    __table_args__ = (
        UniqueConstraint("site", "starts_at", name="one_meeting_per_hour"),
        CheckConstraint(one_of("state", MeetingState), name="meeting_state"),
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
