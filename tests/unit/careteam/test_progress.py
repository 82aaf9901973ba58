"""Better and worse, in the direction of each instrument."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from services.careteam.models.instruments import NPRS, OSWESTRY, Instrument, Trend
from services.careteam.rules.progress import Measured, progress, review, review_time

START = datetime(2026, 9, 1, 9, tzinfo=UTC)
FUNCTION = Instrument(
    id="function",
    loinc="x",
    name="x",
    unit="1",
    lowest=Decimal(0),
    highest=Decimal(100),
    better="higher",
    important=Decimal(2),
    source="a test",
)


def compared(instrument: Instrument, baseline: str, score: str):
    return progress(instrument, baseline=Decimal(baseline), score=Decimal(score))


class TestProgress:
    def test_eight_points_from_a_baseline_of_24_are_no_important_change_but_a_response(self):
        found = compared(OSWESTRY, "24", "16")
        assert (found.change, found.improvement, found.percent) == (-8, 8, Decimal("33.3"))
        assert (found.important, found.responder, found.off_track) == (False, True, False)

    def test_ten_points_from_a_baseline_of_60_are_an_important_change_but_no_response(self):
        found = compared(OSWESTRY, "60", "50")
        assert (found.important, found.responder, found.off_track) == (True, False, False)

    def test_exactly_thirty_percent_is_a_response(self):
        assert compared(NPRS, "10", "7").responder
        assert not compared(OSWESTRY, "10", "7.01").responder

    def test_a_rising_pain_rating_is_worse(self):
        found = compared(NPRS, "5", "7")
        assert (found.change, found.improvement, found.trend) == (2, -2, Trend.WORSENING)
        assert found.importantly_worse
        assert found.off_track

    def test_a_rising_score_is_better_where_higher_is_better(self):
        found = compared(FUNCTION, "4", "6")
        assert (found.improvement, found.trend, found.important) == (2, Trend.IMPROVING, True)

    def test_better_by_less_than_both_measures_is_off_track(self):
        assert compared(NPRS, "8", "7").off_track

    def test_no_change_is_off_track(self):
        found = compared(NPRS, "8", "8")
        assert found.trend is Trend.NO_CHANGE
        assert found.off_track

    def test_who_began_without_complaint_is_off_track_only_when_importantly_worse(self):
        assert not compared(NPRS, "0", "1").off_track
        assert compared(NPRS, "0", "2").off_track
        assert compared(NPRS, "0", "1").percent is None


class TestReview:
    def measured(self, baseline: int, newest: int, *, days: int | None) -> Measured:
        return Measured(
            baseline=Decimal(baseline),
            newest=Decimal(newest),
            newest_at=START + timedelta(days=days or -3),
            repeated=days is not None,
        )

    def test_finds_who_is_off_track_among_those_measured(self):
        found = review(
            {"nprs": self.measured(8, 7, days=20), "oswestry": self.measured(40, 20, days=20)}, since=START
        )
        assert (found.off_track, found.missing) == (["nprs"], [])

    def test_counts_an_instrument_with_only_its_baseline_as_missing(self):
        found = review({"nprs": self.measured(8, 8, days=None)}, since=START)
        assert (found.off_track, found.missing) == ([], ["nprs"])

    def test_counts_a_measurement_before_the_last_review_as_missing(self):
        found = review({"nprs": self.measured(8, 8, days=20)}, since=START + timedelta(weeks=4))
        assert (found.off_track, found.missing) == ([], ["nprs"])

    def test_misses_everything_where_nothing_was_ever_measured(self):
        assert review({}, since=START).missing == ["nprs", "oswestry"]


class TestReviewTime:
    @pytest.mark.parametrize(("weeks", "utc_hour"), [(4, 14), (8, 15)])
    def test_keeps_the_wall_clock_over_the_end_of_daylight_saving(self, weeks: int, utc_hour: int):
        activated = datetime(2026, 9, 16, 14, tzinfo=UTC)
        due = review_time(activated, weeks=weeks, zone=ZoneInfo("America/Toronto"))
        assert due.astimezone(UTC).hour == utc_hour
        assert due.hour == 10
