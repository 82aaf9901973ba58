"""A message is tried again with growing pauses for 24 hours of care time, then given up."""

from datetime import UTC, datetime, timedelta

from services.notifications.rules.delivery import next_attempt
from services.notifications.states import Status, may_become

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class TestNextAttempt:
    def test_comes_a_minute_after_the_first(self) -> None:
        assert next_attempt(created_at=NOON, attempts=1, now=NOON) == NOON + timedelta(minutes=1)

    def test_waits_longer_each_time_and_never_more_than_four_hours(self) -> None:
        pauses, now, attempts = [], NOON, 0
        while True:
            attempts += 1
            again = next_attempt(created_at=NOON, attempts=attempts, now=now)
            if again is None:
                break
            pauses.append(again - now)
            now = again
        assert pauses == sorted(pauses)
        assert max(pauses) == timedelta(hours=4)
        assert timedelta(hours=19) < now - NOON <= timedelta(hours=24)

    def test_is_none_when_a_day_has_passed(self) -> None:
        assert next_attempt(created_at=NOON, attempts=9, now=NOON + timedelta(hours=24)) is None


class TestTheLifeOfAMessage:
    def test_ends_once(self) -> None:
        ends = (Status.COMPLETED, Status.NOT_DONE, Status.STOPPED)
        assert not [(end, status) for end in ends for status in Status if may_become(end, status)]

    def test_completes_only_after_an_attempt(self) -> None:
        assert not may_become(Status.PREPARATION, Status.COMPLETED)
        assert may_become(Status.IN_PROGRESS, Status.COMPLETED)
