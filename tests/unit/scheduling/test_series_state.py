"""What of a series counts, is still to come, goes beyond the grant, or is over."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from services.scheduling import rules
from services.scheduling.models.rows import Appointment, Series
from services.scheduling.rules.entitlement import Entitlement, SessionBounds
from services.scheduling.rules.status_change import NotInThisState, TooEarly
from services.scheduling.states import AppointmentStatus
from shared.reasons import Reason
from tests.support.booking import TORONTO, local

ZONE = ZoneInfo(TORONTO)
NOW = local(date(2026, 6, 10), "12:00")


def a_visit(status: str, day: int = 15, *, kind: str = "session") -> Appointment:
    start: datetime | None = local(date(2026, 6, day), "09:00") if status != "waitlist" else None
    return Appointment(
        referral_id=uuid4(),
        kind=kind,
        status=status,
        patient_id="patient",
        programme="rehab",
        site="toronto",
        requester="practice",
        minutes=60,
        starts_at=start,
        series_id=uuid4() if kind == "session" else None,
    )


def a_series(status: str = "booked", *, because: Sequence[Reason] = (), version: int = 1) -> Series:
    return Series(
        referral_id=uuid4(),
        patient_id="patient",
        site="toronto",
        requester="practice",
        status=status,
        reasons=list(because),
        version=version,
    )


def session_finds_no_time(number: int) -> Reason:
    return Reason.of("session-finds-no-time", failed=number, count=3)


class TestToCome:
    def test_is_what_is_booked_and_has_not_begun(self) -> None:
        past, ahead = a_visit("booked", 9), a_visit("booked", 11)
        rows = [past, ahead, a_visit("cancelled", 12), a_visit("fulfilled", 8)]
        assert rules.series_state.to_come(rows, after=NOW) == [ahead]
        assert rules.series_state.to_come(rows, after=None) == [past, ahead]


class TestBeyond:
    def beyond(self, *rows: Appointment, **bounds: object) -> list[Appointment]:
        of_one = SessionBounds(**bounds)  # type: ignore[arg-type]
        entitled = Entitlement(by_discipline={"physiotherapy": of_one})
        return rules.series_state.beyond(rows, entitled=entitled, only="physiotherapy", now=NOW, zone=ZONE)

    def test_is_what_exceeds_the_count(self) -> None:
        rows = [a_visit("fulfilled", 8), a_visit("booked", 11), a_visit("booked", 12)]
        assert self.beyond(*rows, count=2) == [rows[2]]
        assert self.beyond(*rows, count=1) == rows[1:]

    def test_is_what_lies_outside_the_dates_but_nothing_that_took_place(self) -> None:
        rows = [a_visit("fulfilled", 8), a_visit("booked", 11), a_visit("booked", 20)]
        dates = {"starts_on": date(2026, 6, 10), "ends_on": date(2026, 6, 15)}
        assert self.beyond(*rows, count=3, **dates) == [rows[2]]

    def test_a_cancelled_session_uses_nothing_up(self) -> None:
        rows = [a_visit("cancelled", 8), a_visit("booked", 11)]
        assert self.beyond(*rows, count=1) == []


class TestHeldWhenOver:
    def test_comes_when_nothing_stands_any_more(self) -> None:
        held = rules.series_state.held_when_over
        assert held(a_series(), [a_visit("fulfilled"), a_visit("noshow")]) == 1
        assert held(a_series(), [a_visit("cancelled"), a_visit("noshow")]) == 0

    @pytest.mark.parametrize("status", ["booked", "arrived"])
    def test_does_not_come_while_a_session_stands(self, status: str) -> None:
        assert rules.series_state.held_when_over(a_series(), [a_visit("fulfilled"), a_visit(status)]) is None

    @pytest.mark.parametrize("status", ["not-booked", "suspended", "completed"])
    def test_comes_once(self, status: str) -> None:
        assert rules.series_state.held_when_over(a_series(status), [a_visit("fulfilled")]) is None


class TestNotBookedIsNews:
    def test_once_for_the_same_reason(self) -> None:
        is_news = rules.series_state.not_booked_is_news
        third, second = session_finds_no_time(3), session_finds_no_time(2)
        assert is_news(a_series("not-booked", version=0), because=[])
        assert not is_news(a_series("not-booked", because=[third]), because=[third])
        assert is_news(a_series("not-booked", because=[third]), because=[second])

    def test_never_of_a_series_that_took_place(self) -> None:
        assert not rules.series_state.not_booked_is_news(
            a_series("completed"), because=[session_finds_no_time(3)]
        )


class TestStatusChange:
    def check(self, row: Appointment, status: str, now: datetime) -> None:
        rules.status_change.check(row, AppointmentStatus(status), now=now, zone=ZONE)

    def test_arrived_from_the_local_day_on_and_the_rest_from_the_start_on(self) -> None:
        row = a_visit("booked", 11, kind="first")
        day, start = local(date(2026, 6, 11), "00:00"), local(date(2026, 6, 11), "09:00")
        self.check(row, "arrived", day)
        self.check(row, "fulfilled", start)
        self.check(row, "cancelled", NOW)
        for status, earliest in (("arrived", day), ("fulfilled", start), ("noshow", start)):
            with pytest.raises(TooEarly):
                self.check(row, status, earliest - timedelta(seconds=1))

    @pytest.mark.parametrize(("old", "new"), [("waitlist", "cancelled"), ("fulfilled", "noshow")])
    def test_only_along_the_life_cycle(self, old: str, new: str) -> None:
        with pytest.raises(NotInThisState):
            self.check(a_visit(old, 8, kind="first"), new, NOW)
