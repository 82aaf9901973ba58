"""Case meetings: when the next one is, who must be there, what may be decided."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.careteam import states, texts
from services.careteam.models.rows import CareTask, Meeting
from services.careteam.rules import steps
from services.careteam.states import LIVE_CASES, CaseState, MeetingState
from shared.clinic import Clinic, Site
from shared.errors import Conflict, Forbidden, NotFound
from shared.fhir.codes import TaskCode
from shared.reasons import Reason

AGENDA_BEFORE = timedelta(hours=24)
CLOSE_BY_ITSELF_AFTER = timedelta(hours=12)
# The element that names the case in a call.
CASE = "Parameters.parameter.where(name='case')"


class NotTheChair(Forbidden):
    """Only the chair of a meeting leads it."""


class NotInThisState(Conflict):
    """The state of the meeting, or of the case, does not allow the act."""


class NotOnThisAgenda(NotFound):
    """The case does not stand on the agenda of this meeting."""


class AlreadyDecided(Conflict):
    """The case was decided or dropped before."""


class NoQuorum(Conflict):
    """A discipline of the case's team is not at the meeting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingTime:
    """A meeting's hour, as UTC instants."""

    start: datetime
    end: datetime


def next_meeting(site: Site, *, after: datetime) -> MeetingTime:
    """Find the site's next meeting hour whose agenda can still be published a day before.

    The hour is wall-clock time of the site on every date; a day on which the site is closed has no meeting.
    """
    hour = site.meeting
    day = after.astimezone(site.zone).date()
    while True:
        start = datetime.combine(day, hour.start, tzinfo=site.zone)
        fits = start - AGENDA_BEFORE > after
        if day.weekday() == hour.weekday.number and day not in site.closed and fits:
            start = start.astimezone(after.tzinfo)
            return MeetingTime(start=start, end=start + timedelta(minutes=hour.minutes))
        day += timedelta(days=1)


def why_not_chair(meeting: Meeting, *, practitioner: str | None) -> Reason | None:
    """Say why somebody does not lead a meeting; None for its chair."""
    return None if practitioner == meeting.chair else Reason.of("not-the-chair")


def why_not_become(meeting: Meeting, state: MeetingState) -> Reason | None:
    """Say why the life cycle of a meeting does not lead to a state; None where it does."""
    ways = states.allowed(states.MEETING, MeetingState(meeting.state))
    return steps.why_not(meeting.state, to=state, ways=ways)


def why_not_open(meeting: Meeting) -> Reason | None:
    """Say why no case is decided at a meeting now; None while it is open."""
    if meeting.state == MeetingState.OPEN:
        return None
    return Reason.of("meeting-not-open", state=meeting.state)


def must_be_chair(meeting: Meeting, *, practitioner: str | None) -> None:
    """Raise NotTheChair for everybody else."""
    if (why := why_not_chair(meeting, practitioner=practitioner)) is not None:
        raise NotTheChair.because(why, texts.REASONS)


def must_become(meeting: Meeting, state: MeetingState) -> None:
    """Raise NotInThisState where the meeting's life cycle does not lead to this state from where it is."""
    if (why := why_not_become(meeting, state)) is not None:
        raise NotInThisState.because(why, texts.REASONS, expression="Appointment")


def move_meeting(meeting: Meeting, state: MeetingState) -> None:
    """Give a meeting its next state; raises NotInThisState where its life cycle does not lead there."""
    must_become(meeting, state)
    meeting.state = state


def move_case(case: CareTask, state: CaseState) -> None:
    """Give a case its next state; raises NotInThisState where its life cycle does not lead there."""
    ways = states.allowed(states.CASE, CaseState(case.state))
    if (why := steps.why_not(case.state, to=state, ways=ways)) is not None:
        raise NotInThisState.because(why, texts.REASONS, expression="Task")
    case.state = state


def live(cases: Iterable[CareTask]) -> list[CareTask]:
    """Return those cases of an agenda that still wait for a decision."""
    return [case for case in cases if case.state in LIVE_CASES]


def must_be_open(meeting: Meeting) -> None:
    """Raise NotInThisState unless the meeting is in progress."""
    if (why := why_not_open(meeting)) is not None:
        raise NotInThisState.because(why, texts.REASONS)


def must_wait_at(case: CareTask, meeting: Meeting) -> None:
    """Raise NotOnThisAgenda or AlreadyDecided unless the case waits for a decision at this meeting."""
    if case.code != TaskCode.AGENDA_ITEM or case.meeting_id != meeting.id:
        raise NotOnThisAgenda.because(Reason.of("not-on-this-agenda"), texts.REASONS, expression=CASE)
    if case.state not in LIVE_CASES:
        why = Reason.of("case-is-over", state=case.state)
        raise AlreadyDecided.because(why, texts.REASONS, expression=CASE)


def must_have_quorum(required: Sequence[str], *, attending: Collection[str], clinic: Clinic) -> None:
    """Raise NoQuorum with the disciplines of a case's team that nobody at the meeting has."""
    present = {person.discipline for person in clinic.people if person.id in attending}
    absent = [discipline for discipline in required if discipline not in present]
    if absent:
        why = Reason.of("no-quorum", disciplines=absent)
        raise NoQuorum.because(why, texts.REASONS, expression=CASE)
