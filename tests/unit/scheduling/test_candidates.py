"""Free time in quarter hours, earliest first, fairly shared."""

from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from services.scheduling import rules
from services.scheduling.models.spans import Span, Taken
from shared.clinic import Clinic
from tests.support.booking import MONDAY, TORONTO, a_clinic, a_person, local

TUESDAY = date(2026, 6, 2)
ZONE = ZoneInfo(TORONTO)
DAY = Span(local(TUESDAY, "00:00"), local(date(2026, 6, 3), "00:00"))


def need(clinic: Clinic) -> rules.needs.Need:
    return rules.needs.need_of(
        clinic, site_id="toronto", visit=clinic.programme("rehab").first, purpose="first"
    )


def starts(clinic: Clinic, taken: Taken | None = None, window: Span = DAY) -> list[datetime]:
    found = rules.candidates.in_order(need(clinic), taken=taken or {}, never=(), window=window)
    return sorted({one.span.start for one in found})


class TestCandidates:
    def test_begin_at_full_quarter_hours_and_end_inside_the_hours(self) -> None:
        clinic = a_clinic(people=[a_person("ana", start="09:10", end="10:50")])
        assert starts(clinic) == [local(TUESDAY, wall) for wall in ("09:15", "09:30", "09:45")]

    def test_come_directly_after_what_is_taken(self) -> None:
        clinic = a_clinic(people=[a_person("ana", start="09:00", end="11:00")])
        taken = {"person/ana": [Span(local(TUESDAY, "09:00"), local(TUESDAY, "10:00"))]}
        assert starts(clinic, taken) == [local(TUESDAY, "10:00")]

    def test_need_a_room_of_the_kind(self) -> None:
        clinic = a_clinic(people=[a_person("ana", start="09:00", end="11:00")], rooms=1)
        taken = {"room/assessment-1": [Span(local(TUESDAY, "09:30"), local(TUESDAY, "10:00"))]}
        assert starts(clinic, taken) == [local(TUESDAY, "10:00")]

    def test_offer_an_equal_time_by_load_and_then_by_id(self) -> None:
        clinic = a_clinic(people=[a_person("cleo"), a_person("ben"), a_person("ana")], rooms=1)
        busy = [Span(local(TUESDAY, "15:00"), local(TUESDAY, "16:00"))]
        taken = {"person/ana": busy}
        found = rules.candidates.in_order(need(clinic), taken=taken, never=(), window=DAY)
        assert [one.person for one in islice(found, 3)] == ["ben", "cleo", "ana"]

    def test_there_are_none_in_an_empty_window(self) -> None:
        assert starts(a_clinic(), window=Span(DAY.start, DAY.start)) == []


class TestFirstWindow:
    def test_begins_on_the_next_day_and_ends_with_the_guarantee(self) -> None:
        due_at = MONDAY + timedelta(days=28)
        window = rules.notice.first_window(now=MONDAY, due_at=due_at, zone=ZONE)
        assert window == Span(local(TUESDAY, "00:00"), due_at)

    def test_gives_twelve_hours_notice_in_the_evening(self) -> None:
        window = rules.notice.first_window(
            now=local(date(2026, 6, 1), "21:00"), due_at=MONDAY + timedelta(days=28), zone=ZONE
        )
        assert window.start == local(TUESDAY, "09:00")

    def test_of_who_is_seen_at_once_begins_two_hours_ahead_on_the_same_day(self) -> None:
        due_at = local(TUESDAY, "00:00")
        window = rules.notice.first_window(now=MONDAY, due_at=due_at, zone=ZONE, priority="stat")
        assert window == Span(MONDAY + timedelta(hours=2), due_at)

    @pytest.mark.parametrize("priority", ["asap", "urgent", "routine"])
    def test_of_every_other_priority_keeps_the_notice(self, priority: str) -> None:
        due_at = MONDAY + timedelta(days=5)
        window = rules.notice.first_window(now=MONDAY, due_at=due_at, zone=ZONE, priority=priority)
        assert window.start == local(TUESDAY, "00:00")

    def test_is_empty_when_the_guarantee_ends_today(self) -> None:
        window = rules.notice.first_window(now=MONDAY, due_at=MONDAY + timedelta(hours=5), zone=ZONE)
        assert window.start == window.end

    def test_goes_on_when_the_guarantee_is_broken(self) -> None:
        window = rules.notice.first_window(now=MONDAY, due_at=MONDAY, zone=ZONE)
        assert window.end == MONDAY + timedelta(weeks=26)
