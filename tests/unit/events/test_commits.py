"""Offsets are committed beside the work, whatever one attempt ends with."""

import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition

from shared.events.transport.kafka.commits import Commits
from tests.support.eventually import eventually

PLACE = TopicPartition("lumbar.referral", 0)


class Broker:
    """A consumer whose first commit fails as it is told."""

    def __init__(self, failure: BaseException) -> None:
        self.committed: dict[TopicPartition, int] = {}
        self.failures = [failure]

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        """Fail once, then take the offsets."""
        if self.failures:
            raise self.failures.pop()
        self.committed.update(offsets)


@pytest.mark.parametrize(
    "failure", [RuntimeError("of the client's own"), asyncio.CancelledError("inside the client")]
)
async def test_an_attempt_that_ends_in_no_foreseen_way_is_not_the_last(failure: BaseException) -> None:
    broker: Any = Broker(failure)
    commits = Commits(broker)
    commits.note({PLACE: 7})
    await eventually(lambda: not broker.failures)
    commits.note({PLACE: 8})
    await eventually(lambda: broker.committed == {PLACE: 8})
    assert commits.done == {PLACE: 8}
