"""Life cycles: what may follow what."""

import pytest

from services.careteam import states
from services.careteam.rules import plans
from services.careteam.states import ActionState, CaseState, GoalState, MeetingState, PlanState, TeamState


class TestTransitions:
    @pytest.mark.parametrize(
        ("table", "ends"),
        [
            (states.TEAM, {TeamState.INACTIVE}),
            (states.PLAN, {PlanState.COMPLETED, PlanState.REVOKED}),
            (states.GOAL, {GoalState.COMPLETED, GoalState.CANCELLED}),
            (states.MEETING, {MeetingState.MINUTES_SIGNED, MeetingState.NOT_HELD}),
            (states.CASE, {CaseState.DECIDED, CaseState.DROPPED}),
            (states.ACTION, {ActionState.COMPLETED, ActionState.REJECTED, ActionState.CANCELLED}),
        ],
    )
    def test_nothing_follows_an_end_and_something_follows_all_else(self, table, ends):
        every = set(type(next(iter(ends))))
        assert {state for state in every if not states.allowed(table, state)} == ends

    def test_a_meeting_opens_only_with_its_agenda_published(self):
        assert MeetingState.OPEN not in states.allowed(states.MEETING, MeetingState.SCHEDULED)
        assert MeetingState.OPEN in states.allowed(states.MEETING, MeetingState.AGENDA_PUBLISHED)

    def test_a_case_that_waits_for_a_meeting_cannot_be_decided(self):
        assert CaseState.DECIDED not in states.allowed(states.CASE, CaseState.QUEUED)


class TestPlanProblems:
    def problems(self, state: PlanState, to: PlanState, *, goals=1, activities=1, has_summary=True):
        found = plans.plan_problems(state, to=to, goals=goals, activities=activities, has_summary=has_summary)
        return [problem.expression for problem in found]

    def test_activating_needs_a_goal_and_an_activity_and_says_so_at_once(self):
        missing = self.problems(PlanState.DRAFT, PlanState.ACTIVE, goals=0, activities=0)
        assert missing == ["CarePlan.goal", "CarePlan.activity"]

    def test_completing_needs_a_note_on_how_it_ended(self):
        assert self.problems(PlanState.ACTIVE, PlanState.COMPLETED, has_summary=False) == ["CarePlan.note"]

    def test_a_draft_is_not_completed(self):
        assert self.problems(PlanState.DRAFT, PlanState.COMPLETED) == ["CarePlan.status"]

    def test_nobody_revokes_a_plan_by_hand(self):
        assert self.problems(PlanState.ACTIVE, PlanState.REVOKED) == ["CarePlan.status"]

    def test_an_active_plan_may_be_revised(self):
        assert self.problems(PlanState.ACTIVE, PlanState.ACTIVE) == []


class TestActionProblems:
    def test_rejecting_needs_a_reason(self):
        found = plans.action_problems(ActionState.REQUESTED, to=ActionState.REJECTED, has_reason=False)
        assert [problem.expression for problem in found] == ["Task.statusReason.text"]

    def test_an_owner_cannot_cancel(self):
        found = plans.action_problems(ActionState.REQUESTED, to=ActionState.CANCELLED, has_reason=True)
        assert "accepted, completed, in-progress, rejected" in found[0].text

    def test_what_is_completed_stays_so(self):
        found = plans.action_problems(ActionState.COMPLETED, to=ActionState.ACCEPTED, has_reason=False)
        assert "stays so" in found[0].text
