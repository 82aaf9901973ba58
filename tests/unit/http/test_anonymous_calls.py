"""Requests without a valid token: one row a minute and origin, and memory that has an end."""

import pytest

from shared.http import anonymous_calls
from shared.http.anonymous_calls import MAX_ORIGINS, OTHERS, AnonymousCalls


class Watch:
    """A clock that stands until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    monkeypatch.setattr(anonymous_calls, "monotonic", watch)
    return watch


class TestAnonymousCalls:
    def test_the_first_request_leaves_a_row_and_the_others_of_its_minute_none(self, watch: Watch) -> None:
        calls = AnonymousCalls("toy")
        assert calls.note("10.0.0.1") == {"10.0.0.1": 1}
        assert [calls.note("10.0.0.1") for _ in range(50)] == [{}] * 50
        watch.now += 59
        assert calls.note("10.0.0.1") == {}

    def test_the_next_row_tells_how_many_came_since_the_last(self, watch: Watch) -> None:
        calls = AnonymousCalls("toy")
        for _ in range(51):
            calls.note("10.0.0.1")
        watch.now += 60
        assert calls.note("10.0.0.1") == {"10.0.0.1": 50}
        watch.now += 60
        assert calls.note("10.0.0.1") == {"10.0.0.1": 1}

    def test_who_stopped_is_told_of_with_the_next_request_of_anybody(self, watch: Watch) -> None:
        calls = AnonymousCalls("toy")
        for _ in range(8):
            calls.note("10.0.0.1")
        watch.now += 60
        assert calls.note("10.0.0.2") == {"10.0.0.1": 7, "10.0.0.2": 1}

    def test_each_origin_has_its_own_row(self, watch: Watch) -> None:
        calls = AnonymousCalls("toy")
        assert calls.note("10.0.0.1") == {"10.0.0.1": 1}
        assert calls.note("10.0.0.2") == {"10.0.0.2": 1}

    def test_more_origins_than_are_remembered_share_one_row(self, watch: Watch) -> None:
        calls = AnonymousCalls("toy")
        rows = [calls.note(f"2001:db8::{number:x}") for number in range(5_000)]
        assert sum(len(due) for due in rows) == MAX_ORIGINS + 1
        assert rows[MAX_ORIGINS] == {OTHERS: 1}
        watch.now += 60
        assert calls.note("10.0.0.1")[OTHERS] == 5_000 - MAX_ORIGINS - 1

    def test_origins_that_are_quiet_are_forgotten(self, watch: Watch) -> None:
        calls = AnonymousCalls("toy")
        for number in range(MAX_ORIGINS):
            calls.note(f"2001:db8::{number:x}")
        watch.now += 60
        assert calls.note("10.0.0.1") == {"10.0.0.1": 1}
