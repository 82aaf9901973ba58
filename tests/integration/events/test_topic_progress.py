"""How far a group has read is written down for the process that cannot ask the transport."""

from collections.abc import Mapping

import pytest

from shared.clock import machine_now
from shared.db import Database
from shared.events import topic_progress
from shared.events.topic_progress import ProgressWriter
from shared.events.transport.base import TopicProgress
from tests.conftest import MakeDatabase
from tests.support.toy import Base


class Reading:
    """A subscription that says of its topics how far they are read, or does not answer."""

    def __init__(self, **lags: int) -> None:
        self.lags = lags
        self.answers = True

    async def progress(self) -> Mapping[str, TopicProgress]:
        if not self.answers:
            raise ConnectionError("no broker")
        return {topic: TopicProgress(position=1, end=1 + lag, lag=lag) for topic, lag in self.lags.items()}


@pytest.fixture
async def database(make_database: MakeDatabase) -> Database:
    return await make_database(Base.metadata)


def writer(database: Database, reading: Reading) -> ProgressWriter:
    return ProgressWriter(database, reading, group="toy")  # type: ignore[arg-type]


async def lags(database: Database) -> dict[str, int]:
    return {found.topic: found.lag for found in await topic_progress.read(database, group="toy")}


async def test_the_lag_of_each_topic_is_written_with_its_time(database: Database) -> None:
    before = machine_now()
    assert await writer(database, Reading(one=3, two=0)).step() is False
    assert await lags(database) == {"one": 3, "two": 0}
    assert all(
        before <= found.at <= machine_now() for found in await topic_progress.read(database, group="toy")
    )


async def test_what_was_written_before_is_written_over_and_a_topic_no_longer_read_goes(
    database: Database,
) -> None:
    await writer(database, Reading(one=3, two=4)).step()
    await writer(database, Reading(two=1, three=2)).step()
    assert await lags(database) == {"two": 1, "three": 2}


async def test_a_transport_that_does_not_answer_leaves_what_was_known(database: Database) -> None:
    reading = Reading(one=3)
    await writer(database, reading).step()
    reading.answers = False
    assert await writer(database, reading).step() is False
    assert await lags(database) == {"one": 3}


async def test_nothing_is_known_of_another_group(database: Database) -> None:
    await writer(database, Reading(one=3)).step()
    assert await topic_progress.read(database, group="other") == []
