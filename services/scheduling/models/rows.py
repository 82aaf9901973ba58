"""The rows of this database, as verbs read and change them; their tables stand in `tables.py`."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime
from sqlalchemy import Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from services.scheduling.models.conflicts import VisitConflict
from services.scheduling.models.grants import GrantedSessions
from services.scheduling.models.spans import Span
from services.scheduling.states import (
    AbsenceStatus,
    GroupStatus,
    ReferralState,
    ReplanStatus,
    SeriesStatus,
    VisitTaskStatus,
)
from shared.db.models import Resource
from shared.fhir.codes import GuaranteeStatus, RequestPriority
from shared.ids import new_id
from shared.people import KnownPerson
from shared.reasons import Reason


class Referral(SQLModel):
    """An accepted referral as scheduling needs it; its id is that of the ServiceRequest.

    `person` is who the patient was when it was accepted; what `known_patient` says of them is newer. `team`
    are the practitioners who are in the patient's care team for it, or were until the team's own end. By
    `priority` it is seen until `due_on`, `priority_version` is that of the event which said so last.
    """

    __tablename__ = "referral"

    id: UUID = Field(primary_key=True)
    patient_id: str
    programme: str
    site: str
    requester: str
    payer: str | None = None
    accepted_at: AwareDatetime
    sent_at: AwareDatetime
    complete_at: AwareDatetime
    priority: str = Field(
        default=RequestPriority.ROUTINE, sa_column_kwargs={"server_default": RequestPriority.ROUTINE.value}
    )
    priority_version: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    due_on: date
    due_at: AwareDatetime
    unavailable: list[list[str]] = Field(default_factory=list, sa_type=JSONB)
    state: str = ReferralState.OPEN
    ended_because: list[Reason] = Field(default_factory=list, sa_type=JSONB)
    person: KnownPerson | None = Field(default=None, sa_type=JSONB)
    team: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))

    @property
    def away(self) -> list[Span]:
        """The times at which the patient said not to be available."""
        moments = [
            (datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in self.unavailable
        ]
        return [Span(start, end) for start, end in moments]


class Guarantee(Resource):
    """The guarantee of one referral, as a Task with both clocks.

    Until `second_due_at` everybody is seen, whatever the priority; `second_breached_at` is when that was
    found broken. `unbooked_since` is since when somebody has to see to it, None where nobody has to: it is in
    danger or broken and nothing is booked, or nobody was seen by its second promise or at once.
    """

    __tablename__ = "guarantee"

    referral_id: UUID = Field(foreign_key="referral.id", unique=True)
    patient_id: str = Field(index=True)
    site: str
    requester: str
    status: str = GuaranteeStatus.ON_TRACK
    due_at: AwareDatetime
    raw_days: int | None = None
    adjusted_days: int | None = None
    unbooked_since: AwareDatetime | None = None
    second_due_at: AwareDatetime = Field(
        sa_column_kwargs={"server_default": text("now() + interval '56 days'")}
    )
    second_breached_at: AwareDatetime | None = None


class Series(Resource):
    """The sessions of one referral, as a List.

    `wanted` is how many sessions of each discipline it is to have in all, those that took place included;
    None in one that was booked before there was more than one discipline. What of these has found no time
    is `short`, and somebody has to see to a series since `short_since`. Nothing is added to one before
    `held_until`.
    """

    __tablename__ = "series"

    referral_id: UUID = Field(foreign_key="referral.id", unique=True)
    identifiers: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    patient_id: str = Field(index=True)
    site: str
    requester: str
    status: str = SeriesStatus.NOT_BOOKED
    reasons: list[Reason] = Field(default_factory=list, sa_type=JSONB)
    wanted: dict[str, int] | None = Field(default=None, sa_type=JSONB)
    short: dict[str, int] | None = Field(default=None, sa_type=JSONB)
    short_since: AwareDatetime | None = None
    held_until: AwareDatetime | None = None


class Appointment(Resource):
    """A visit: the first one, a session of a series, or one of a type that its programme names.

    It has no time while on the waitlist. Of a first one `due_at` is the end of its guarantee, and
    `waits_since` when a time was first looked for. `practitioner` leads it; in a joint one `colleagues` are
    there too. `equipment` are the devices that it takes. A session says which `discipline` gives it; one that
    does not is of the only one that there was. Reviews and groups of a course belong to its series too. In a
    group session it is a seat. A hold is `held_by` a client until then; a first visit that was held stays so
    in a row of its own. A visit that is overbooked, and why, has its clinician's second lane.
    `confirmed_start` is the start to which its patient said that they come.
    """

    __tablename__ = "appointment"

    referral_id: UUID = Field(foreign_key="referral.id", index=True)
    kind: str
    status: str
    patient_id: str = Field(index=True)
    programme: str
    site: str
    requester: str
    minutes: int
    practitioner: str | None = Field(default=None, index=True)
    room: str | None = None
    starts_at: AwareDatetime | None = Field(default=None, index=True)
    ends_at: AwareDatetime | None = None
    series_id: UUID | None = Field(default=None, foreign_key="series.id", index=True)
    visit_type: str | None = None
    discipline: str | None = None
    colleagues: list[str] = Field(
        default_factory=list, sa_type=ARRAY(Text), sa_column_kwargs={"server_default": "{}"}
    )
    group_session: UUID | None = Field(default=None, foreign_key="group_session.id", index=True)
    seat: int | None = None
    held_until: AwareDatetime | None = None
    held_by: str | None = None
    overbooked_because: str | None = None
    equipment: list[str] = Field(
        default_factory=list, sa_type=ARRAY(Text), sa_column_kwargs={"server_default": "{}"}
    )
    reason_code: str | None = None
    other_codings: list[dict[str, Any]] = Field(
        default_factory=list, sa_type=JSONB, sa_column_kwargs={"server_default": "[]"}
    )
    reasons: list[Reason] = Field(default_factory=list, sa_type=JSONB)
    patient_caused: bool = False
    due_at: AwareDatetime | None = None
    waits_since: AwareDatetime | None = None
    confirmed_start: AwareDatetime | None = None


class GroupSession(SQLModel):
    """A session of a group: it takes clinicians, room and equipment once, for all who have a seat in it.

    Nobody reads it by itself. While all who have a seat hold it only, it is held too, until then.
    """

    __tablename__ = "group_session"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    site: str
    programme: str
    visit_type: str
    practitioner: str
    colleagues: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    room: str | None = None
    equipment: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    seats: int
    status: str = GroupStatus.OPEN
    held_until: AwareDatetime | None = None


class KnownPatient(SQLModel):
    """What `referral` said last of a patient, and with which version.

    `replaced_by` is the record that goes on, where this one was merged into it; `person` is None where it was
    said before scheduling kept who patients are.
    """

    __tablename__ = "known_patient"

    id: str = Field(primary_key=True)
    event_version: int
    is_deceased: bool
    replaced_by: str | None = None
    person: KnownPerson | None = Field(default=None, sa_type=JSONB)


class GivenUpTime(SQLModel):
    """A time at which a patient is not booked again by itself: not at all, or not with a clinician or room.

    `resource` is the text id of who or what cannot be there then: the patient, the clinician or the room.
    """

    __tablename__ = "given_up_time"

    patient_id: str = Field(primary_key=True)
    resource: str = Field(primary_key=True)
    starts_at: AwareDatetime = Field(primary_key=True)
    ends_at: AwareDatetime = Field(primary_key=True)


class ReplanTask(Resource):
    """The Task that names visits of a site which no longer fit; `is_settled` where a person ended it."""

    __tablename__ = "replan_task"

    site: str = Field(index=True)
    status: str = ReplanStatus.REQUESTED
    visits: list[VisitConflict] = Field(default_factory=list, sa_type=JSONB)
    opened_at: AwareDatetime
    ended_because: list[Reason] = Field(default_factory=list, sa_type=JSONB)
    is_settled: bool = False


class UnavailableTime(Resource):
    """A time at which a person is away, or, without one, the site is closed, as a Slot with its reason."""

    __tablename__ = "unavailable_time"

    site: str
    person: str | None = None
    status: str = AbsenceStatus.UNAVAILABLE
    starts_at: AwareDatetime
    ends_at: AwareDatetime

    @property
    def span(self) -> Span:
        """From when until when."""
        return Span(self.starts_at, self.ends_at)


class TellingTask(Resource):
    """The Task that asks to telephone a patient about one visit.

    `starts_at` is when the visit begins, as the Task says it. `because` is why, where it is not that its day
    is to be told; `words` are what the patient wrote.
    """

    __tablename__ = "telling_task"

    appointment_id: UUID = Field(foreign_key="appointment.id")
    referral_id: UUID = Field(foreign_key="referral.id", index=True)
    patient_id: str = Field(index=True)
    site: str
    requester: str
    status: str = VisitTaskStatus.REQUESTED
    starts_at: AwareDatetime
    opened_at: AwareDatetime
    due_at: AwareDatetime
    because: list[Reason] = Field(
        default_factory=list, sa_type=JSONB, sa_column_kwargs={"server_default": "[]"}
    )
    words: str | None = None
    ended_because: list[Reason] = Field(default_factory=list, sa_type=JSONB)


class VisitTask(Resource):
    """A Task about a visit: to record it (`record-visit`), or to call who missed it and the one before
    (`recall`).

    `owner` is the clinician who is asked, None where it is the clinic. `starts_at` is when the visit began,
    as the Task says it.
    """

    __tablename__ = "visit_task"

    code: str
    appointment_id: UUID = Field(foreign_key="appointment.id")
    referral_id: UUID = Field(foreign_key="referral.id", index=True)
    patient_id: str = Field(index=True)
    site: str
    requester: str
    owner: str | None = None
    status: str = VisitTaskStatus.REQUESTED
    starts_at: AwareDatetime
    opened_at: AwareDatetime
    due_at: AwareDatetime
    ended_because: list[Reason] = Field(default_factory=list, sa_type=JSONB)


class Funding(SQLModel):
    """What the newest answer of the payer grants for one referral's sessions."""

    __tablename__ = "funding"

    referral_id: UUID = Field(primary_key=True, foreign_key="referral.id")
    claim_id: str
    status: str
    payer: str | None = None
    grants: list[GrantedSessions] = Field(
        default_factory=list, sa_type=JSONB, sa_column_kwargs={"server_default": "[]"}
    )


class ForecastMade(SQLModel):
    """What the forecast of a site said, one morning, of the breaches of a discipline in one of its weeks.

    `week` counts from 1; the figures are those before correction. `truth` is None until the week is over.
    """

    __tablename__ = "forecast_made"

    site: str = Field(primary_key=True)
    need: str = Field(primary_key=True)
    made_on: date = Field(primary_key=True)
    week: int = Field(primary_key=True)
    made_at: AwareDatetime
    q10: int
    q50: int
    q90: int
    truth: int | None = None
