"""The rows of freed times and of those to whom they were offered."""

from uuid import UUID

from pydantic import AwareDatetime
from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from services.scheduling.states import OfferStatus, RoundStatus
from shared.db.models import Resource
from shared.ids import new_id
from shared.reasons import Reason


class OfferRound(SQLModel):
    """A time that a visit gave back, with the clinicians, the room and the equipment of that visit.

    While it is offered these are taken for those who are asked, by an occupancy of this id. `patient_id` is
    who gave it up, `batch` how many batches were asked, and `asked` how many people. `waited_for_plan` where
    an evening's plan has had its turn. Of a group it is a seat of its `group_session`: `seat` is held until
    `held_until`, None while nobody is asked.
    """

    __tablename__ = "offer_round"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    site: str
    programme: str
    kind: str
    visit_type: str | None = None
    minutes: int
    patient_id: str
    practitioner: str
    colleagues: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    room: str | None = None
    equipment: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    freed_at: AwareDatetime
    status: str = RoundStatus.OPEN
    batch: int = 0
    asked: int = 0
    waited_for_plan: bool = False
    group_session: UUID | None = None
    seat: int | None = None
    held_until: AwareDatetime | None = None


class TimeOffer(Resource):
    """The question to a patient whether they take a freed time instead of their own, as a Task.

    `starts_at` and `ends_at` are the time that is offered, with `practitioner`; `had_start` is the time that
    the visit has. It is open until `due_at`. Its visit is no foreign key: the check of one would lock a visit
    of somebody who waits for this very time.
    """

    __tablename__ = "offer"

    round_id: UUID = Field(foreign_key="offer_round.id", index=True)
    appointment_id: UUID
    referral_id: UUID = Field(index=True)
    patient_id: str = Field(index=True)
    site: str
    requester: str
    status: str = OfferStatus.REQUESTED
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    practitioner: str
    had_start: AwareDatetime
    opened_at: AwareDatetime
    due_at: AwareDatetime
    ended_because: list[Reason] = Field(default_factory=list, sa_type=JSONB)
