"""Arithmetic on half-open spans."""

from datetime import UTC, datetime

from services.scheduling.models.spans import Span
from services.scheduling.rules.intervals import is_free, merged, subtracted, until_free


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 6, 1, hour, minute, tzinfo=UTC)


def span(start: int, end: int) -> Span:
    return Span(at(start), at(end))


class TestMerged:
    def test_joins_what_touches_or_overlaps_and_drops_what_is_empty(self) -> None:
        assert merged([span(10, 11), span(8, 9), span(9, 10), span(13, 13)]) == [span(8, 11)]

    def test_a_long_one_swallows_the_short_ones_inside(self) -> None:
        assert merged([span(8, 17), span(9, 10), span(16, 18)]) == [span(8, 18)]


class TestSubtracted:
    def test_cuts_out_of_the_middle_and_at_both_ends(self) -> None:
        taken = [span(7, 9), span(11, 12), span(16, 18)]
        assert subtracted([span(8, 17)], taken) == [span(9, 11), span(12, 16)]

    def test_leaves_nothing_where_all_is_taken(self) -> None:
        assert subtracted([span(9, 10)], [span(8, 11)]) == []

    def test_leaves_all_where_what_is_taken_only_touches(self) -> None:
        assert subtracted([span(9, 10)], [span(8, 9), span(10, 11)]) == [span(9, 10)]


class TestIsFree:
    def test_an_end_and_a_start_at_one_moment_do_not_meet(self) -> None:
        assert is_free([span(8, 9), span(10, 11)], span(9, 10))

    def test_says_until_when_it_is_blocked(self) -> None:
        assert until_free([span(8, 9), span(10, 11)], Span(at(10, 45), at(11, 45))) == at(11)
        assert until_free([span(8, 9)], span(9, 10)) is None
