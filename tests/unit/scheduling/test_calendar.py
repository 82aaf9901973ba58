"""From the site's wall clock to UTC, over both changes of the clocks in Toronto."""

from datetime import UTC, date, datetime, time, timedelta

from services.scheduling import rules
from services.scheduling.models.spans import Span
from shared.clinic import Clinic
from tests.support.booking import TORONTO, a_clinic, a_person, local

SPRING = date(2026, 3, 8)
AUTUMN = date(2026, 11, 1)


def utc(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=UTC)


def hours(clinic: Clinic, first: date, last: date) -> list[Span]:
    site = clinic.site("toronto")
    window = Span(
        rules.calendar.local_day_start(first, site.zone), rules.calendar.local_day_end(last, site.zone)
    )
    return rules.calendar.working_spans(clinic.people[0], site=site, purpose="first", window=window)


def test_days_beside_the_years_that_can_be_counted_are_the_first_and_the_last() -> None:
    zone = a_clinic().site("toronto").zone
    whole = rules.calendar.span_between(None, None, zone)
    assert rules.calendar.span_between(date.min, date.max, zone) == whole


class TestDaylightSaving:
    def test_nine_in_the_morning_is_another_moment_after_each_change(self) -> None:
        zone = a_clinic().site("toronto").zone
        nine = time(9)
        assert rules.calendar.to_utc(SPRING - timedelta(days=1), nine, zone) == utc(
            SPRING - timedelta(days=1), 14
        )
        assert rules.calendar.to_utc(SPRING, nine, zone) == utc(SPRING, 13)
        assert rules.calendar.to_utc(AUTUMN - timedelta(days=1), nine, zone) == utc(
            AUTUMN - timedelta(days=1), 13
        )
        assert rules.calendar.to_utc(AUTUMN, nine, zone) == utc(AUTUMN, 14)

    def test_a_skipped_time_is_read_with_the_offset_before_the_change(self) -> None:
        zone = a_clinic().site("toronto").zone
        assert rules.calendar.to_utc(SPRING, time(2, 30), zone).astimezone(zone).time() == time(3, 30)

    def test_a_time_that_comes_twice_is_the_first(self) -> None:
        zone = a_clinic().site("toronto").zone
        assert rules.calendar.to_utc(AUTUMN, time(1, 30), zone) == utc(AUTUMN, 5, 30)

    def test_the_days_of_the_changes_have_23_and_25_hours(self) -> None:
        zone = a_clinic().site("toronto").zone
        for day, length in ((SPRING, 23), (AUTUMN, 25)):
            assert rules.calendar.local_day_end(day, zone) - rules.calendar.local_day_start(
                day, zone
            ) == timedelta(hours=length)

    def test_a_guarantee_of_28_local_days_ends_at_local_midnight_over_the_change(self) -> None:
        zone = a_clinic().site("toronto").zone
        sent = datetime(2026, 2, 20, 15, tzinfo=UTC)
        due_on = sent.astimezone(zone).date() + timedelta(days=28)
        assert due_on == date(2026, 3, 20)
        assert rules.calendar.local_day_end(due_on, zone) == utc(date(2026, 3, 21), 4)

    def test_working_hours_keep_their_wall_clock(self) -> None:
        clinic = a_clinic(people=[a_person("ana", days=["sat", "sun"], start="09:00", end="10:00")])
        found = hours(clinic, SPRING - timedelta(days=1), SPRING)
        assert [span.start for span in found] == [utc(SPRING - timedelta(days=1), 14), utc(SPRING, 13)]

    def test_hours_over_the_skipped_hour_are_an_hour_shorter(self) -> None:
        clinic = a_clinic(people=[a_person("ana", days=["sun"], start="00:00", end="08:00")])
        (night,) = hours(clinic, SPRING, SPRING)
        assert night.end - night.start == timedelta(hours=7)


class TestWorkingSpans:
    def test_leaves_out_closed_days_absences_and_days_off(self) -> None:
        person = a_person("ana", days=["mon", "tue", "thu"], absences=[(date(2026, 6, 2), date(2026, 6, 3))])
        clinic = a_clinic(people=[person], closed=[date(2026, 6, 1)])
        found = hours(clinic, date(2026, 6, 1), date(2026, 6, 7))
        assert found == [Span(local(date(2026, 6, 4), "09:00"), local(date(2026, 6, 4), "17:00"))]

    def test_leaves_out_the_meeting_hour(self) -> None:
        wednesday = date(2026, 6, 3)
        assert hours(a_clinic(), wednesday, wednesday) == [
            Span(local(wednesday, "09:00"), local(wednesday, "12:00")),
            Span(local(wednesday, "13:00"), local(wednesday, "17:00")),
        ]

    def test_counts_only_hours_of_the_purpose(self) -> None:
        clinic = a_clinic(people=[a_person("ana", purpose=["session"])])
        assert hours(clinic, date(2026, 6, 1), date(2026, 6, 7)) == []

    def test_is_cut_to_the_window(self) -> None:
        clinic, monday = a_clinic(), date(2026, 6, 1)
        window = Span(local(monday, "10:10"), local(monday, "11:00"))
        found = rules.calendar.working_spans(
            clinic.people[0], site=clinic.site("toronto"), purpose="first", window=window
        )
        assert found == [window]


def test_toronto_is_the_zone() -> None:
    assert a_clinic().site("toronto").zone.key == TORONTO
