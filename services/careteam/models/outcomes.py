"""What patients answered, how it was scored, and what the team wrote."""

from decimal import Decimal
from uuid import UUID

from pydantic import AwareDatetime
from sqlalchemy import Numeric
from sqlmodel import Field

from shared.db.models import Resource


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
