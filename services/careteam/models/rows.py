"""The rows of this database, as verbs read and change them; their tables stand in `tables.py`.

Every row that is a FHIR resource keeps its bytes beside the columns that are searched and constrained. Cases
and actions are both Tasks in FHIR, and `CareTask` holds both.
"""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from pydantic import AwareDatetime
from sqlalchemy import Numeric, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from services.careteam.states import GoalState, MeetingState, PlanState, TeamState
from shared.db.models import Resource
from shared.ids import new_id
from shared.people import KnownPerson
from shared.reasons import Reason


class EndedReferral(SQLModel):
    """A referral that ended, kept so that a booking which arrives later forms no team."""

    __tablename__ = "ended_referral"

    referral_id: str = Field(primary_key=True)
    reasons: list[Reason] = Field(sa_type=JSONB)
    at: AwareDatetime


class KnownPatient(SQLModel):
    """What `referral` said last of a patient, and with which version."""

    __tablename__ = "known_patient"

    id: str = Field(primary_key=True)
    event_version: int
    is_deceased: bool
    person: KnownPerson = Field(sa_type=JSONB)


class Team(Resource):
    """The team of one referral (CareTeam).

    `person` is who the patient was at the first booking; what `known_patient` says of them is newer.
    """

    __tablename__ = "team"

    referral_id: str
    patient_id: str = Field(index=True)
    programme: str
    site: str = Field(index=True)
    status: str = TeamState.ACTIVE
    formed_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    ended_because: list[Reason] = Field(default_factory=list, sa_type=JSONB)
    person: KnownPerson | None = Field(default=None, sa_type=JSONB)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in a team and who has it, before it is a row."""

    practitioner: str
    discipline: str


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
    """Who is invited to a meeting, whether they came, when, and when they left before its end.

    Of who came before these times were kept `came_at` is None.
    """

    __tablename__ = "meeting_participant"

    meeting_id: UUID = Field(foreign_key="meeting.id", primary_key=True)
    practitioner: str = Field(primary_key=True)
    attended: bool = False
    came_at: AwareDatetime | None = None
    left_at: AwareDatetime | None = None

    @property
    def is_present(self) -> bool:
        """Whether they are there now."""
        return self.attended and self.left_at is None


class CareTask(Resource):
    """A case on an agenda or an action with an owner (Task).

    `status` is FHIR's; `state` is the case's life cycle (CaseState) or the action's (ActionState). A case on
    an agenda has its `position` there, from 1 on.
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
    position: int | None = None


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


class Answers(Resource):
    """A questionnaire as it was answered (QuestionnaireResponse)."""

    __tablename__ = "answers"

    team_id: UUID = Field(foreign_key="team.id", index=True)
    referral_id: str = Field(index=True)
    patient_id: str = Field(index=True)
    questionnaire: str
    authored_at: AwareDatetime


class Outcome(Resource):
    """A scored instrument (Observation); the first of an instrument is the baseline."""

    __tablename__ = "outcome"

    team_id: UUID = Field(foreign_key="team.id", index=True)
    referral_id: str = Field(index=True)
    patient_id: str = Field(index=True)
    instrument: str
    code: str
    status: str = "final"
    score: Decimal = Field(sa_type=Numeric(6, 2))
    effective_at: AwareDatetime = Field(index=True)
    baseline: bool
    answers_id: UUID | None = Field(default=None, foreign_key="answers.id")


class Message(Resource):
    """A message of a team member to the team about its patient (Communication)."""

    __tablename__ = "message"

    team_id: UUID = Field(foreign_key="team.id", index=True)
    referral_id: str = Field(index=True)
    patient_id: str = Field(index=True)
    sender: str
    sent_at: AwareDatetime
    status: str = "completed"
    answers: UUID | None = Field(default=None, foreign_key="message.id")
