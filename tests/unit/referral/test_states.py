"""The life cycles: every state has its Task.status, and no step leads out of an end."""

import pytest

from services.referral import rules
from services.referral.states import (
    ALLOWED,
    AUTHORIZATION_ALLOWED,
    TASK_STATUS,
    TERMINAL,
    Authorization,
    State,
)
from shared.reasons import Reason

# Task transitions as FHIR's Task state machine has them; staying in a status is no transition.
TASK_STEPS = {
    "received": {"accepted", "rejected", "on-hold", "cancelled"},
    "accepted": {"in-progress", "on-hold", "cancelled"},
    "in-progress": {"on-hold", "completed", "failed", "cancelled"},
    "on-hold": {"received", "accepted", "in-progress", "cancelled"},
    "rejected": {"received"},
}


def test_every_state_has_its_transitions_and_its_task_status() -> None:
    assert set(ALLOWED) == set(TASK_STATUS) == set(State)
    assert set(AUTHORIZATION_ALLOWED) == set(Authorization)


@pytest.mark.parametrize("now", State)
def test_each_step_is_a_legal_one_of_the_task(now: State) -> None:
    for following in ALLOWED[now]:
        before, after = TASK_STATUS[now], TASK_STATUS[following]
        # `record` goes from on-hold to rejected by way of received, and to completed by way of in-progress.
        by_another = (before, after) in (("on-hold", "rejected"), ("on-hold", "completed"))
        assert before == after or by_another or after in TASK_STEPS[before], f"{now} to {following}"


def test_the_ends_are_the_ends() -> None:
    assert frozenset({State.DISCHARGED, State.MERGED, State.REVOKED, State.CLOSED}) == TERMINAL


def test_a_step_that_the_life_cycle_does_not_have_is_refused_with_where_it_stands() -> None:
    with pytest.raises(rules.steps.Refused, match="The referral is revoked"):
        rules.steps.check(rules.steps.no_step(State.REVOKED, State.ACCEPTED, act="accepting"))


def test_a_denied_authorization_is_not_updated() -> None:
    assert Authorization.APPROVED not in AUTHORIZATION_ALLOWED[Authorization.DENIED]


class TestWhatOthersSay:
    def test_a_booking_and_a_visit_lead_on(self) -> None:
        assert rules.steps.following(State.ACCEPTED, "appointment.booked") is State.BOOKED
        assert rules.steps.following(State.MISSED, "appointment.booked") is State.BOOKED
        assert rules.steps.following(State.BOOKED, "appointment.fulfilled") is State.ASSESSED

    def test_what_is_said_after_the_visit_about_the_first_appointment_changes_nothing(self) -> None:
        assert rules.steps.following(State.IN_PROGRAMME, "appointment.cancelled") is None
        assert rules.steps.following(State.BOOKED, "waitlist.left") is None

    def test_a_plan_waits_for_the_visit_and_a_discharge_for_the_plan(self) -> None:
        assert rules.steps.comes_too_early(State.BOOKED, "plan.activated")
        assert rules.steps.comes_too_early(State.ASSESSED, "patient.discharged")
        assert not rules.steps.comes_too_early(State.IN_PROGRAMME, "patient.discharged")

    def test_an_ended_referral_is_beyond_it(self) -> None:
        assert rules.steps.comes_too_late(State.REVOKED)
        assert not rules.steps.comes_too_late(State.BOOKED)


def test_a_state_is_told_in_words_and_kept_as_its_code() -> None:
    reason = rules.steps.no_step(State.IN_PROGRAMME, State.ACCEPTED, act="accepting")
    with pytest.raises(rules.steps.Refused) as refusal:
        rules.steps.check(reason)
    assert str(refusal.value) == "The referral is in programme: accepting is not possible."
    (problem,) = refusal.value.problems
    assert problem.reason == Reason.of("not-in-this-state", act="accepting", state=State.IN_PROGRAMME)
