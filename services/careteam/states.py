"""The life cycles of careteam as tables of allowed transitions; a state that is no key is an end."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar


class TeamState(StrEnum):
    """A team lives as long as its referral is cared for."""

    ACTIVE = "active"
    INACTIVE = "inactive"


class PlanState(StrEnum):
    """CarePlan.status; an active plan that is revised stays active, as a new version."""

    DRAFT = "draft"
    ACTIVE = "active"
    COMPLETED = "completed"
    REVOKED = "revoked"


class GoalState(StrEnum):
    """Goal.lifecycleStatus."""

    PROPOSED = "proposed"
    ACTIVE = "active"
    ON_HOLD = "on-hold"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class MeetingState(StrEnum):
    """A case meeting; its agenda is open for new cases while it is only scheduled."""

    SCHEDULED = "scheduled"
    AGENDA_PUBLISHED = "agenda-published"
    OPEN = "open"
    CLOSED = "closed"
    MINUTES_SIGNED = "minutes-signed"
    NOT_HELD = "not-held"


class CaseState(StrEnum):
    """A case (Task, code agenda-item); its businessStatus.

    `queued` waits for a meeting to be scheduled, `on-agenda` stands on one, `carried-over` stood on one that
    did not come to it.
    """

    QUEUED = "queued"
    ON_AGENDA = "on-agenda"
    CARRIED_OVER = "carried-over"
    DECIDED = "decided"
    DROPPED = "dropped"


class ActionState(StrEnum):
    """Task.status of an action."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


State = TypeVar("State", bound=StrEnum)
Transitions = Mapping[State, frozenset[State]]

TEAM: Transitions[TeamState] = {TeamState.ACTIVE: frozenset({TeamState.INACTIVE})}

PLAN: Transitions[PlanState] = {
    PlanState.DRAFT: frozenset({PlanState.DRAFT, PlanState.ACTIVE, PlanState.REVOKED}),
    PlanState.ACTIVE: frozenset({PlanState.ACTIVE, PlanState.COMPLETED, PlanState.REVOKED}),
}

# What follows where a first visit was held after all, so that the draft that was taken back is open again.
CORRECTED_PLAN: Transitions[PlanState] = {PlanState.REVOKED: frozenset({PlanState.DRAFT})}
CORRECTED_GOAL: Transitions[GoalState] = {GoalState.CANCELLED: frozenset({GoalState.PROPOSED})}

GOAL: Transitions[GoalState] = {
    GoalState.PROPOSED: frozenset({GoalState.PROPOSED, GoalState.ACTIVE, GoalState.CANCELLED}),
    GoalState.ACTIVE: frozenset(
        {GoalState.ACTIVE, GoalState.ON_HOLD, GoalState.COMPLETED, GoalState.CANCELLED}
    ),
    GoalState.ON_HOLD: frozenset({GoalState.ON_HOLD, GoalState.ACTIVE, GoalState.CANCELLED}),
}

MEETING: Transitions[MeetingState] = {
    MeetingState.SCHEDULED: frozenset({MeetingState.AGENDA_PUBLISHED, MeetingState.NOT_HELD}),
    MeetingState.AGENDA_PUBLISHED: frozenset({MeetingState.OPEN, MeetingState.NOT_HELD}),
    MeetingState.OPEN: frozenset({MeetingState.CLOSED}),
    MeetingState.CLOSED: frozenset({MeetingState.MINUTES_SIGNED}),
}

_LIVE_CASE = frozenset({CaseState.ON_AGENDA, CaseState.CARRIED_OVER, CaseState.DECIDED, CaseState.DROPPED})
CASE: Transitions[CaseState] = {
    CaseState.QUEUED: _LIVE_CASE - {CaseState.DECIDED},
    CaseState.ON_AGENDA: _LIVE_CASE - {CaseState.ON_AGENDA},
    CaseState.CARRIED_OVER: _LIVE_CASE - {CaseState.ON_AGENDA},
}

_AFTER_REQUEST = frozenset(
    {
        ActionState.ACCEPTED,
        ActionState.IN_PROGRESS,
        ActionState.COMPLETED,
        ActionState.REJECTED,
        ActionState.CANCELLED,
    }
)
ACTION: Transitions[ActionState] = {
    ActionState.REQUESTED: _AFTER_REQUEST,
    ActionState.ACCEPTED: _AFTER_REQUEST - {ActionState.ACCEPTED},
    ActionState.IN_PROGRESS: frozenset({ActionState.COMPLETED, ActionState.REJECTED, ActionState.CANCELLED}),
}

LIVE_CASES = (CaseState.QUEUED, CaseState.ON_AGENDA, CaseState.CARRIED_OVER)
LIVE_ACTIONS = (ActionState.REQUESTED, ActionState.ACCEPTED, ActionState.IN_PROGRESS)
LIVE_GOALS = (GoalState.PROPOSED, GoalState.ACTIVE, GoalState.ON_HOLD)


def allowed(table: Transitions[State], state: State) -> frozenset[State]:
    """Return the states that may follow; none for an end."""
    return table.get(state, frozenset())
