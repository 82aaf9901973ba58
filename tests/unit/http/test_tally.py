"""Counts, levels and timings: what was added is what both readers are told."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.metrics.export import Histogram

from shared.ids import made_at, new_text_id
from shared.telemetry import collecting, process, tally
from shared.telemetry.tally import Count, Level, Timing


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    before = [list(one) for one in (tally.COUNTS, tally.LEVELS, tally.TIMINGS)]
    yield
    for kept, was in zip((tally.COUNTS, tally.LEVELS, tally.TIMINGS), before, strict=True):
        for added in [one for one in kept if one not in was]:
            getattr(added, "_values", getattr(added, "_series", {})).clear()
        kept[:] = was


def told() -> list[str]:
    """Read the exposition's lines about what this file has made, as a process that tells of itself too."""
    process.read()
    return [line for line in collecting.exposition().decode().splitlines() if line.startswith("a_")]


class TestTally:
    def test_counts_add_up_and_are_0_where_they_are_expected(self) -> None:
        count = Count("a.count", unit="{thing}", description="Things", labels=("kind",))
        count.expect("rare")
        count.add(1, "usual")
        count.add(2, "usual")
        assert sorted(told()) == ['a_count_total{kind="rare"} 0.0', 'a_count_total{kind="usual"} 3.0']

    def test_levels_say_what_was_set_last(self) -> None:
        level = Level("a.level", unit="s", description="An age", labels=())
        level.set(5)
        level.set(3.5)
        assert told() == ["a_level_seconds 3.5"]

    def test_timings_fall_into_their_buckets(self) -> None:
        timing = Timing("a.time", description="A time", labels=("kind",), bounds=(0.125, 1))
        for seconds in (0.0625, 0.125, 0.5, 7):
            timing.record(seconds, "x")
        assert told() == [
            'a_time_seconds_bucket{kind="x",le="0.125"} 2.0',
            'a_time_seconds_bucket{kind="x",le="1"} 3.0',
            'a_time_seconds_bucket{kind="x",le="+Inf"} 4.0',
            'a_time_seconds_count{kind="x"} 4.0',
            'a_time_seconds_sum{kind="x"} 7.6875',
        ]

    def test_a_timing_is_a_histogram_of_opentelemetry(self) -> None:
        timing = Timing("a.time", description="A time", labels=("kind",), bounds=(0.1, 1))
        assert timing.metric(1) is None
        timing.record(0.5, "x")
        metric = timing.metric(1)
        assert metric is not None
        assert isinstance(metric.data, Histogram)
        (point,) = metric.data.data_points
        assert (point.count, point.sum, list(point.bucket_counts)) == (1, 0.5, [0, 1, 0])


class TestAnId:
    def test_tells_when_it_was_made(self) -> None:
        first, later = made_at(new_text_id()), made_at(new_text_id())
        assert first is not None
        assert later is not None
        assert first <= later
        assert first > 1_700_000_000

    @pytest.mark.parametrize(
        "other",
        ["", "7", "e-1", "lumbar.referral/0/7", "f47ac10b-58cc-4372-a567-0e02b2c3d479", "z" * 12 + "7" * 20],
    )
    def test_that_is_no_uuid7_tells_nothing(self, other: str) -> None:
        assert made_at(other) is None
