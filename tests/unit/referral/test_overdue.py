"""What the nightly look finds wrong with how a referral stands, and what is told of it."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from services.referral.models.snapshot import ReferralSnapshot
from services.referral.rules import overdue as rules
from services.referral.states import State, WaitingClock
from shared.clinic.model import Waiting
from shared.fhir.codes import TaskCode
from shared.ids import new_id
from tests.unit.referral.builders import CLINIC

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PROGRAMME = CLINIC.programmes[0]
HOUR = timedelta(hours=1)
SITE = CLINIC.sites[0]


def stands(state: State, **more: Any) -> ReferralSnapshot:
    return ReferralSnapshot(id=new_id(), state=state, **({"since": NOON, "programme": PROGRAMME.id} | more))


def found(snapshot: ReferralSnapshot, *, after: timedelta) -> list[str]:
    late = rules.find(snapshot, clinic=CLINIC, at=NOON + after)
    return [] if late is None else [reason.code for reason in late.reasons]


VISIT = timedelta(minutes=PROGRAMME.first.minutes)
LIMITS = [
    (State.BOOKED, VISIT + 24 * HOUR, "visit-not-recorded"),
    (State.ASSESSED, timedelta(days=14), "no-plan-active"),
    (State.ACCEPTED, timedelta(days=2), "nothing-heard-of-booking"),
    (State.AWAITING_BOOKING, timedelta(days=2), "nothing-heard-of-booking"),
    (State.MISSED, timedelta(days=2), "nothing-heard-of-booking"),
    (State.APPOINTMENT_CANCELLED, timedelta(days=2), "nothing-heard-of-booking"),
    (State.IN_PROGRAMME, timedelta(weeks=PROGRAMME.weeks, days=14), "programme-is-over"),
]


@pytest.mark.parametrize(("state", "limit", "code"), LIMITS, ids=[state for state, _, _ in LIMITS])
def test_a_state_has_its_limit_and_not_a_moment_less(state: State, limit: timedelta, code: str) -> None:
    snapshot = stands(state, visit_at=NOON)
    assert found(snapshot, after=limit) == []
    assert found(snapshot, after=limit + timedelta(milliseconds=1)) == [code]


OWNED = [
    (State.INFORMATION_REQUESTED, {}, WaitingClock.WAITING),
    (State.AWAITING_REVIEW, {}, WaitingClock.WAITING),
    (State.AWAITING_REVIEW, {"urgent": True}, WaitingClock.URGENT_TRIAGE),
    (State.DUPLICATE_SUSPECTED, {}, WaitingClock.WAITING),
    (State.EMERGENCY_REDIRECTED, {"unacknowledged": True}, WaitingClock.ESCALATION),
    (State.IN_PROGRAMME, {"unacknowledged": True}, WaitingClock.ESCALATION),
    (State.DISCHARGED, {"unacknowledged": True}, WaitingClock.ESCALATION),
]


@pytest.mark.parametrize(("state", "more", "clock"), OWNED)
def test_what_waits_is_owned_by_its_own_clock_and_by_no_other(
    state: State, more: dict[str, Any], clock: WaitingClock
) -> None:
    others = [other for other in WaitingClock if other is not clock]
    assert found(stands(state, clocks=[clock], **more), after=HOUR) == []
    assert found(stands(state, clocks=others, **more), after=HOUR) == ["nobody-owns"]


def test_a_task_of_the_clinic_owns_what_waits_and_only_a_telephone_an_emergency() -> None:
    review = [TaskCode.REVIEW_REFERRAL]
    assert found(stands(State.AWAITING_REVIEW, work=review), after=HOUR) == []
    emergency = {"unacknowledged": True, "clocks": [WaitingClock.WAITING]}
    assert found(stands(State.BOOKED, visit_at=NOON, work=review, **emergency), after=HOUR) == ["nobody-owns"]
    telephone = [TaskCode.TELEPHONE_REFERRER]
    assert found(stands(State.BOOKED, visit_at=NOON, work=telephone, **emergency), after=HOUR) == []


@pytest.mark.parametrize("state", State)
def test_what_was_merged_is_owned_while_the_first_goes_on(state: State) -> None:
    gone = {State.DECLINED, State.EMERGENCY_REDIRECTED, State.EMERGENCY_ACKNOWLEDGED, State.MERGED}
    gone |= {State.DISCHARGED, State.REVOKED, State.CLOSED}
    wanted = ["nobody-owns", "first-ended"] if state in gone else []
    assert found(stands(State.MERGED, first=state), after=HOUR) == wanted


def test_every_state_either_rests_or_is_found_at_last() -> None:
    at_last = {
        state
        for state in State
        if found(stands(state, visit_at=NOON, first=State.CLOSED), after=timedelta(days=1000))
    }
    resting = {State.DISCHARGED, State.REVOKED, State.CLOSED, State.DECLINED, State.EMERGENCY_ACKNOWLEDGED}
    # Scheduling's guarantee owns who is on the waitlist.
    assert set(State) - at_last == resting | {State.WAITLISTED}


def test_a_programme_that_is_gone_from_clinic_yaml_has_the_longest_one_s_weeks() -> None:
    longest = timedelta(weeks=max(programme.weeks for programme in CLINIC.programmes), days=14)
    gone = stands(State.IN_PROGRAMME, programme="gone")
    assert (found(gone, after=longest), found(gone, after=longest + HOUR)) == ([], ["programme-is-over"])


class TestWhatFollows:
    LATE = timedelta(days=2) + HOUR

    def look(self, state: State, *, told: timedelta | None, **more: Any) -> rules.Look:
        told_at = None if told is None else NOON + told
        return rules.decide(stands(state, told_at=told_at, **more), clinic=CLINIC, at=NOON + self.LATE)

    def test_what_is_found_is_told(self) -> None:
        look = self.look(State.MISSED, told=None)
        assert look.tell is not None
        assert not look.ends_work

    def test_what_was_told_since_it_was_late_is_not_told_again(self) -> None:
        assert not self.look(State.MISSED, told=timedelta(days=2)).is_something

    def test_a_task_from_before_said_something_else_and_ends(self) -> None:
        look = self.look(State.MISSED, told=timedelta(days=1))
        assert look.tell is not None
        assert look.ends_work

    def test_a_task_of_what_is_no_longer_so_ends(self) -> None:
        look = self.look(State.WAITLISTED, told=HOUR)
        assert look.tell is None
        assert look.ends_work

    def test_a_task_of_a_waiting_clock_stands_until_the_decision(self) -> None:
        assert not self.look(State.AWAITING_REVIEW, told=HOUR, clocks=[WaitingClock.WAITING]).is_something

    def test_nothing_follows_from_what_goes_on(self) -> None:
        assert not self.look(State.ASSESSED, told=None).is_something


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/Toronto", date(2026, 3, 8)),
        ("America/Toronto", date(2026, 11, 1)),
        # There the hour from three to four is left out, and comes twice.
        ("Europe/Helsinki", date(2026, 3, 29)),
        ("Europe/Helsinki", date(2026, 10, 25)),
    ],
)
def test_there_is_one_look_a_local_day_also_where_the_clocks_change(zone: str, day: date) -> None:
    site = SITE.model_copy(update={"time_zone": zone})
    site.__dict__.pop("zone", None)
    at = datetime.combine(day - timedelta(days=2), time(12), tzinfo=site.zone).astimezone(UTC)
    looks = []
    for _ in range(4):
        at = rules.next_look(site, after=at)
        looks.append(at.astimezone(site.zone))
    assert [look.date() for look in looks] == [day + timedelta(days=one) for one in (-1, 0, 1, 2)]
    assert {look.hour for look in looks if look.date() != day} == {3}


def test_a_look_that_is_late_waits_ten_minutes_and_then_is_made() -> None:
    minutes = timedelta(minutes=1)
    assert rules.wait_until(due=NOON, at=NOON + 9 * minutes) is None
    later = rules.wait_until(due=NOON, at=NOON + 60 * minutes)
    assert later == NOON + 70 * minutes
    assert rules.wait_until(due=later, at=later) is None


def test_an_older_clinic_yaml_has_the_limits_that_it_does_not_name() -> None:
    older = Waiting.model_validate({"information_days": 14, "review_hours": 24})
    assert (older.record_hours, older.plan_days, older.booking_days) == (24, 14, 2)
