"""At rest means two readings in a row with nothing left and nothing moved between them."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from shared.events.settle import NotSettled, settle
from shared.events.worker import Worker
from shared.events.worker_status import WorkerStatus


def reading(**changes: Any) -> WorkerStatus:
    nothing: dict[str, Any] = {
        "outbox": 0,
        "lag": {"lumbar.referral": 0},
        "held": {"retrying": (0, 0.0), "dead": (0, 0.0)},
        "timers_due": 0,
        "loops_pending": 0,
        "next_timer": None,
    }
    return WorkerStatus(**nothing | changes)


class Readings:
    """A worker that is known only by what it reads, the last one for ever."""

    service = "scheduling"

    def __init__(self, *readings: WorkerStatus, busy: int = 0) -> None:
        self.left = list(readings)
        self.taken = self.asked = 0
        self.busy = busy

    async def has_work(self) -> bool:
        self.asked += 1
        return self.busy > self.asked - 1

    async def read_status(self) -> WorkerStatus:
        self.taken += 1
        return self.left.pop(0) if len(self.left) > 1 else self.left[0]


def worker(*readings: WorkerStatus, busy: int = 0) -> Any:
    return cast(Worker, Readings(*readings, busy=busy))


async def test_one_quiet_reading_is_not_enough() -> None:
    quiet = worker(reading())
    await settle([quiet])
    assert quiet.taken == 2


async def test_nothing_else_is_read_while_one_has_work() -> None:
    idle, busy = worker(reading()), worker(reading(), busy=3)
    await settle([idle, busy])
    assert (busy.asked, idle.taken, busy.taken) == (5, 2, 2)


async def test_what_is_on_its_way_is_named_though_one_has_work_to_the_end() -> None:
    with pytest.raises(NotSettled, match="scheduling: timers due 1"):
        await settle([worker(reading(timers_due=1), busy=10_000)], timeout=0.05)


async def test_it_says_when_something_is_due_next() -> None:
    soon, late = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)
    assert await settle([worker(reading(next_timer=late)), worker(reading(next_timer=soon))]) == soon
    assert await settle([worker(reading())]) is None


async def test_a_log_that_grew_between_two_quiet_readings_is_not_at_rest() -> None:
    moving = worker(reading(ends={"t": 1}), reading(ends={"t": 2}), reading(ends={"t": 2}))
    await settle([moving])
    assert moving.taken == 3


async def test_a_position_that_moved_between_two_quiet_readings_is_not_at_rest() -> None:
    moving = worker(reading(positions={"t": 1}), reading(positions={"t": 2}), reading(positions={"t": 2}))
    await settle([moving])
    assert moving.taken == 3


@pytest.mark.parametrize(
    ("left", "named"),
    [
        ({"outbox": 2}, "scheduling: outbox 2"),
        ({"lag": {"lumbar.referral": 3}}, "scheduling: lag of lumbar.referral 3"),
        ({"held": {"retrying": (1, 0.0), "dead": (0, 0.0)}}, "scheduling: held keys 1"),
        ({"timers_due": 1}, "scheduling: timers due 1"),
        ({"loops_pending": 4}, "scheduling: loops 4"),
        ({"lag": None}, "scheduling: transport does not answer"),
    ],
)
async def test_what_is_left_is_named(left: dict[str, Any], named: str) -> None:
    with pytest.raises(NotSettled, match=named):
        await settle([worker(reading(**left))], timeout=0.05)


async def test_dead_keys_wait_for_a_person_and_do_not_count() -> None:
    await settle([worker(reading(held={"retrying": (0, 0.0), "dead": (2, 0.0)}))])
