"""Events that `careteam` publishes: team, case meetings, actions, messages, plan, outcomes.

A meeting is about several patients, so its own events are keyed by the meeting; what it means for one patient
is published once per patient (`meeting.case-decided`, `action.assigned`). An agenda item is a Task with the
code `agenda-item`, an action is a Task with the code `action`; both name the referral in `basedOn`.
"""

from shared.events.catalog.types import EventType
from shared.events.topics import CARETEAM


def _event(name: str, focus: str, emitted: str, *carries: str) -> EventType:
    return EventType(name=name, topic=CARETEAM, focus=focus, carries=carries, emitted=emitted)


def _meeting(name: str, emitted: str, *carries: str) -> EventType:
    return EventType(
        name=f"meeting.{name}",
        topic=CARETEAM,
        focus="Appointment",
        carries=carries,
        emitted=emitted,
        keyed_by="aggregate",
    )


CARETEAM_FORMED = _event("careteam.formed", "CareTeam", "The first booking of a referral made its team.")
CARETEAM_CHANGED = _event("careteam.changed", "CareTeam", "A member came or went, or the team ended.")
MEETING_SCHEDULED = _meeting("scheduled", "A case meeting was put on the clinic's calendar.")
MEETING_AGENDA_PUBLISHED = _meeting(
    "agenda-published", "A day before the meeting, its agenda was closed.", "Task"
)
MEETING_CASE_DECIDED = _event(
    "meeting.case-decided", "Task", "A meeting decided a case; the Task is its agenda item."
)
MEETING_CLOSED = _meeting(
    "closed", "The meeting is over, held or not; what was not discussed is carried over.", "Task"
)
MEETING_MINUTES_SIGNED = _meeting("minutes-signed", "The chair signed the minutes.", "Composition")
ACTION_ASSIGNED = _event("action.assigned", "Task", "A decision became a Task with an owner and a due date.")
ACTION_COMPLETED = _event("action.completed", "Task", "The owner completed an action.")
MESSAGE_POSTED = _event("message.posted", "Communication", "A team member wrote to the team about a patient.")
PLAN_ACTIVATED = _event("plan.activated", "CarePlan", "A clinician activated the draft plan.", "Goal")
PLAN_REVISED = _event("plan.revised", "CarePlan", "An active plan got a new version.", "Goal")
OUTCOME_RECORDED = _event("outcome.recorded", "Observation", "An instrument was answered and scored.")
OUTCOME_OFF_TRACK = _event(
    "outcome.off-track",
    "Observation",
    "At a review the outcome is not better enough; the case goes on the agenda.",
)
PATIENT_DISCHARGED = _event(
    "patient.discharged", "CarePlan", "The plan was completed; outcomes stand beside it.", "Observation"
)

EVENTS = (
    CARETEAM_FORMED,
    CARETEAM_CHANGED,
    MEETING_SCHEDULED,
    MEETING_AGENDA_PUBLISHED,
    MEETING_CASE_DECIDED,
    MEETING_CLOSED,
    MEETING_MINUTES_SIGNED,
    ACTION_ASSIGNED,
    ACTION_COMPLETED,
    MESSAGE_POSTED,
    PLAN_ACTIVATED,
    PLAN_REVISED,
    OUTCOME_RECORDED,
    OUTCOME_OFF_TRACK,
    PATIENT_DISCHARGED,
)
