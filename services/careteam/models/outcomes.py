"""What patients answered, how it was scored, and what the team wrote."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, Numeric
from sqlalchemy import text as sql
from sqlmodel import Field

from services.careteam.models.base import Base
from shared.db import ResourceRow


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


class Message(ResourceRow, Base, table=True):
    """A message of a team member to the team about its patient (Communication)."""

    team_id: UUID = Field(foreign_key="team.id", index=True)
    referral_id: str = Field(index=True)
    patient_id: str = Field(index=True)
    sender: str
    sent_at: datetime
    status: str = "completed"
    answers: UUID | None = Field(default=None, foreign_key="message.id")
