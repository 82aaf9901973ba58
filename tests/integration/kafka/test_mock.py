"""The mock cluster, which stands in where there is no Kafka, carries events as one does."""

from tests.conftest import MakeDatabase
from tests.support.events import effects
from tests.support.transports import WORKING, drain, mocked, versions


async def test_the_mock_cluster_carries_events_and_remembers_what_was_read(
    make_database: MakeDatabase,
) -> None:
    async with mocked(make_database) as wire:
        await wire.publish("p1", times=5)
        await wire.publish("p2", times=5)
        owner = wire.owner(WORKING)
        await drain(wire, owner, expected=10)
        while await wire.lag():
            await owner.step()

        found = await effects(wire.consumer)
        assert versions(found, "p1") == versions(found, "p2") == [1, 2, 3, 4, 5]
