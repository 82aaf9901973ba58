"""The guarantee and its two clocks."""

from datetime import date, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from services.scheduling import rules
from services.scheduling.models.rows import Appointment, Guarantee
from services.scheduling.models.spans import Span
from shared.fhir.codes import GuaranteeStatus
from tests.support.booking import TORONTO, local

ZONE = ZoneInfo(TORONTO)
SENT = local(date(2026, 3, 2), "10:00")
DUE = local(date(2026, 3, 31), "00:00")


def status(
    *visits: Appointment,
    now_day: int = 3,
    before: str = "on-track",
    ended: bool = False,
    is_late_by_plan: bool | None = None,
) -> str:
    return rules.guarantee.status_now(
        visits,
        now=local(date(2026, 3, 1), "12:00") + timedelta(days=now_day - 1),
        due_at=DUE,
        at_risk_days=7,
        ended=ended,
        before=GuaranteeStatus(before),
        is_late_by_plan=is_late_by_plan,
    )


def visit(state: str, day: int = 10, *, patient: bool = False) -> Appointment:
    start = None if state == "waitlist" else local(date(2026, 3, 1), "09:00") + timedelta(days=day - 1)
    return Appointment(
        referral_id=uuid4(),
        kind="first",
        status=state,
        patient_id="patient",
        programme="rehab",
        site="toronto",
        requester="practice",
        minutes=60,
        starts_at=start,
        patient_caused=patient,
    )


class TestStatus:
    @pytest.mark.parametrize(
        ("visits", "now_day", "expected"),
        [
            ((visit("booked"),), 3, "on-track"),
            ((visit("booked"),), 29, "on-track"),
            ((visit("waitlist"),), 3, "at-risk"),
            ((visit("booked", 40),), 3, "at-risk"),
            ((), 3, "planned"),
            ((visit("noshow"),), 12, "planned"),
            ((), 25, "at-risk"),
            ((visit("waitlist"),), 31, "breached"),
            ((visit("booked", 40),), 31, "breached"),
            ((visit("booked", 30),), 32, "on-track"),
            ((visit("noshow", 30),), 32, "breached"),
            ((visit("fulfilled", 30),), 35, "met"),
            ((visit("noshow"), visit("fulfilled", 20)), 20, "met"),
        ],
    )
    def test_follows_the_visits(self, visits: tuple[Appointment, ...], now_day: int, expected: str) -> None:
        assert status(*visits, now_day=now_day) == expected

    @pytest.mark.parametrize(
        ("before_due", "expected"),
        [
            (timedelta(days=7, microseconds=1), "planned"),
            (timedelta(days=7), "at-risk"),
            (timedelta(microseconds=1), "at-risk"),
            (timedelta(), "breached"),
        ],
    )
    def test_changes_at_the_very_moment_for_which_its_timer_is_set(
        self, before_due: timedelta, expected: str
    ) -> None:
        found = rules.guarantee.status_now(
            (),
            now=DUE - before_due,
            due_at=DUE,
            at_risk_days=7,
            ended=False,
            before=GuaranteeStatus.ON_TRACK,
        )
        assert found == expected

    def test_without_a_visit_is_planned_until_its_own_days_are_left(self) -> None:
        for at_risk_days in (1, 3, 7):
            for hours, expected in ((1, "planned"), (0, "at-risk")):
                found = rules.guarantee.status_now(
                    (),
                    now=DUE - timedelta(days=at_risk_days, hours=hours),
                    due_at=DUE,
                    at_risk_days=at_risk_days,
                    ended=False,
                    before=GuaranteeStatus.PLANNED,
                )
                assert found == expected

    @pytest.mark.parametrize(
        ("visits", "now_day", "before", "expected"),
        [
            ((), 3, "planned", "forecast-breach"),
            ((visit("noshow"),), 12, "on-track", "forecast-breach"),
            ((visit("booked"),), 3, "planned", "on-track"),
            ((visit("waitlist"),), 3, "forecast-breach", "at-risk"),
            ((visit("booked", 40),), 3, "forecast-breach", "at-risk"),
            ((), 25, "forecast-breach", "at-risk"),
            ((), 3, "at-risk", "at-risk"),
            ((), 31, "forecast-breach", "breached"),
        ],
    )
    def test_is_foreseen_to_break_by_a_plan_unless_something_certain_is_stronger(
        self, visits: tuple[Appointment, ...], now_day: int, before: str, expected: str
    ) -> None:
        assert status(*visits, now_day=now_day, before=before, is_late_by_plan=True) == expected

    @pytest.mark.parametrize(
        ("is_late", "expected"), [(None, "forecast-breach"), (True, "forecast-breach"), (False, "planned")]
    )
    def test_stays_foreseen_to_break_until_a_plan_says_otherwise(
        self, is_late: bool | None, expected: str
    ) -> None:
        assert status(before="forecast-breach", is_late_by_plan=is_late) == expected

    def test_what_is_decided_stays(self) -> None:
        for decided in ("met", "breached", "ended"):
            assert status(visit("fulfilled"), before=decided) == decided

    def test_an_ended_referral_ends_an_open_guarantee(self) -> None:
        assert status(ended=True) == "ended"


class TestSecondPromise:
    END = local(date(2026, 4, 28), "00:00")

    def broken(
        self, *visits: Appointment, days_after: float = 1, ended: bool = False, was: bool = False
    ) -> bool:
        guarantee = Guarantee(
            referral_id=uuid4(),
            patient_id="patient",
            site="toronto",
            requester="practice",
            due_at=DUE,
            second_due_at=self.END,
            second_breached_at=self.END if was else None,
        )
        now = self.END + timedelta(days=days_after)
        found = rules.guarantee.second_breached_at(guarantee, visits, now=now, ended=ended)
        assert found in (None, now, self.END)
        return found is not None

    def test_ends_with_the_last_local_day_over_the_change_of_clocks(self) -> None:
        sent = local(date(2026, 3, 2), "23:30")
        assert rules.guarantee.second_end(sent, days=56, zone=ZONE) == self.END

    def test_breaks_at_its_end_where_nobody_was_seen(self) -> None:
        assert not self.broken(days_after=-0.001)
        assert self.broken(days_after=0)
        assert self.broken(visit("noshow", 10), visit("booked", 70))

    def test_is_kept_by_a_visit_that_took_place_before_it(self) -> None:
        assert not self.broken(visit("fulfilled", 50))
        assert self.broken(visit("fulfilled", 60), was=True)

    def test_is_left_open_by_a_visit_before_it_that_nobody_recorded(self) -> None:
        assert not self.broken(visit("booked", 50))

    def test_of_an_ended_referral_does_not_break(self) -> None:
        assert not self.broken(ended=True)

    def test_that_broke_stays_broken_until_its_visit_is_recorded_after_all(self) -> None:
        assert self.broken(visit("booked", 70), was=True)
        assert not self.broken(visit("fulfilled", 50), was=True)


class TestClocks:
    def clocks(self, *visits: Appointment, away: tuple[Span, ...] = ()) -> rules.guarantee.Clocks | None:
        return rules.guarantee.clocks(visits, sent_at=SENT, unavailable=away, zone=ZONE)

    def test_there_are_none_without_a_time(self) -> None:
        assert self.clocks(visit("waitlist")) is None

    def test_count_local_days_over_the_change_of_clocks(self) -> None:
        assert self.clocks(visit("booked", 30)) == rules.guarantee.Clocks(raw=28, adjusted=28)

    def test_a_missed_visit_costs_the_days_to_the_next(self) -> None:
        found = self.clocks(visit("noshow", 10), visit("booked", 16))
        assert found == rules.guarantee.Clocks(raw=14, adjusted=8)

    def test_the_clinics_own_cancellation_costs_the_patient_nothing(self) -> None:
        found = self.clocks(visit("cancelled", 10), visit("booked", 16))
        assert found == rules.guarantee.Clocks(raw=14, adjusted=14)

    def test_overlapping_reasons_count_once(self) -> None:
        away = Span(local(date(2026, 3, 8), "00:00"), local(date(2026, 3, 13), "00:00"))
        longer = Span(local(date(2026, 3, 9), "00:00"), local(date(2026, 3, 15), "00:00"))
        found = self.clocks(visit("cancelled", 12, patient=True), visit("booked", 16), away=(away, longer))
        assert found == rules.guarantee.Clocks(raw=14, adjusted=6)

    def test_days_before_the_referral_and_after_the_visit_do_not_count(self) -> None:
        away = Span(local(date(2026, 2, 1), "00:00"), local(date(2026, 3, 4), "00:00"))
        later = Span(local(date(2026, 3, 16), "00:00"), local(date(2026, 4, 1), "00:00"))
        assert self.clocks(visit("booked", 16), away=(away, later)) == rules.guarantee.Clocks(
            raw=14, adjusted=12
        )
