"""Events that `careteam` publishes: team, case meetings, actions, messages, plan, outcomes.

A meeting is about several patients, so its own events are keyed by the meeting; what it means for one patient
is published once per patient (`meeting.case-decided`, `action.assigned`). An agenda item is a Task with the
code `agenda-item`, an action is a Task with the code `action`; both name the referral in `basedOn`.
"""

from datetime import datetime

from shared.events.catalog import reading
from shared.events.catalog.types import DomainEvent
from shared.events.topics import CARETEAM
from shared.fhir.references import local_id, reference_type


class TeamEvent(DomainEvent, topic=CARETEAM, focus="CareTeam"):
    """What happened to a care team."""

    @property
    def has_ended(self) -> bool:
        """Whether the whole team ended, with its referral."""
        return bool(self.focus.get("status") == "inactive")

    def members(self, *, at: datetime) -> frozenset[str]:
        """Return the practitioners who are on the team at this time."""
        participants = self.focus.get("participant", [])
        staying = [member for member in participants if not reading.is_over(member.get("period"), at=at)]
        return frozenset(reading.people_in(staying, "member"))

    @property
    def staying(self) -> list[str]:
        """The practitioners whose membership has no end, in order."""
        participants = self.focus.get("participant", [])
        staying = [member for member in participants if "end" not in member.get("period", {})]
        return sorted(set(reading.people_in(staying, "member")))


class CareTeamFormed(
    TeamEvent, name="careteam.formed", emitted="The first booking of a referral made its team."
):
    """A referral has a team."""


class CareTeamChanged(
    TeamEvent, name="careteam.changed", emitted="A member came or went, or the team ended."
):
    """A team has other members, or none any more."""


class MeetingEvent(DomainEvent, topic=CARETEAM, focus="Appointment", keyed_by="aggregate"):
    """What happened to a case meeting."""

    @property
    def meeting(self) -> str | None:
        """The id of the meeting."""
        return str(self.focus["id"])


class MeetingScheduled(
    MeetingEvent, name="meeting.scheduled", emitted="A case meeting was put on the clinic's calendar."
):
    """A meeting has a time."""


class MeetingAgendaPublished(
    MeetingEvent,
    name="meeting.agenda-published",
    carries=("Task",),
    emitted="A day before the meeting, its agenda was closed.",
):
    """A meeting has its agenda."""


class MeetingOpened(
    MeetingEvent, name="meeting.opened", emitted="The chair opened the meeting with those who came."
):
    """A meeting is in progress."""


class MeetingAttendanceChanged(
    MeetingEvent,
    name="meeting.attendance-changed",
    emitted="Somebody came to a meeting that was open, or left it before its end.",
):
    """Others are at a meeting."""


class MeetingClosed(
    MeetingEvent,
    name="meeting.closed",
    carries=("Task",),
    emitted="The meeting is over, held or not; what was not discussed is carried over.",
):
    """A meeting is over."""


class MeetingMinutesSigned(
    MeetingEvent,
    name="meeting.minutes-signed",
    carries=("Composition",),
    emitted="The chair signed the minutes.",
):
    """The minutes of a meeting stand."""


class TaskEvent(DomainEvent, topic=CARETEAM, focus="Task"):
    """What happened to an agenda item or an action."""


class MeetingCaseDecided(
    TaskEvent,
    name="meeting.case-decided",
    emitted="A meeting decided a case; the Task is its agenda item.",
):
    """A case was decided."""

    @property
    def meeting(self) -> str | None:
        """The id of the meeting that decided it, None in an event of before."""
        references = (given.get("valueReference", {}) for given in self.focus.get("input", ()))
        named = (one for one in references if reference_type(one) == "Appointment")
        return next((local_id(one) for one in named), None)


class ActionAssigned(
    TaskEvent,
    name="action.assigned",
    emitted="A decision became a Task with an owner and a due date.",
):
    """Somebody has something to do."""


class ActionCompleted(TaskEvent, name="action.completed", emitted="The owner completed an action."):
    """Something was done."""


class MessagePosted(
    DomainEvent,
    name="message.posted",
    topic=CARETEAM,
    focus="Communication",
    emitted="A team member wrote to the team about a patient.",
):
    """A team has a new message."""


class PlanEvent(DomainEvent, topic=CARETEAM, focus="CarePlan"):
    """What happened to a care plan."""


class PlanActivated(
    PlanEvent, name="plan.activated", carries=("Goal",), emitted="A clinician activated the draft plan."
):
    """A plan is active."""


class PlanRevised(
    PlanEvent, name="plan.revised", carries=("Goal",), emitted="An active plan got a new version."
):
    """A plan has changed."""


class PatientDischarged(
    PlanEvent,
    name="patient.discharged",
    carries=("Observation",),
    emitted="The plan was completed; outcomes stand beside it.",
):
    """The care is over."""


class OutcomeEvent(DomainEvent, topic=CARETEAM, focus="Observation"):
    """What an instrument showed."""


class OutcomeRecorded(
    OutcomeEvent, name="outcome.recorded", emitted="An instrument was answered and scored."
):
    """There is a new score."""


class OutcomeOffTrack(
    OutcomeEvent,
    name="outcome.off-track",
    emitted="At a review the outcome is not better enough; the case goes on the agenda.",
):
    """A patient does not get better as hoped."""
