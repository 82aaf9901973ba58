"""What one batch from Kafka is made of: all partitions of a topic, in order, and committed as one."""

from itertools import groupby

from shared.events.transport.base import Batch
from shared.events.transport.kafka.subscription import KafkaSubscription
from tests.support.eventually import eventually
from tests.support.transports import WITHIN, Wire, next_batch


async def test_what_waits_in_several_partitions_comes_in_one_batch(wire: Wire) -> None:
    subscription = await _with_waiting(wire, keys=12, times=2)

    batch = await next_batch(subscription)
    left = await next_batch(subscription)

    assert (len(batch.records), len(left.records)) == (10, 10)
    assert len({record.partition for record in batch.records}) > 1
    partitions = [record.partition for record in batch.records]
    assert [partition for partition, _ in groupby(partitions)] == list(dict.fromkeys(partitions))
    for places in _offsets(batch, left).values():
        assert places == list(range(places[0], places[0] + len(places)))


async def test_a_committed_batch_is_read_again_from_none_of_its_partitions(wire: Wire) -> None:
    subscription = await _with_waiting(wire, keys=4, times=2)
    batch = await next_batch(subscription)
    assert len({record.partition for record in batch.records}) > 1

    subscription.passed(batch)

    await eventually(lambda: _nothing_waits(wire), within=WITHIN)
    await wire.leave()
    assert await wire.lag() == 0


async def _with_waiting(wire: Wire, *, keys: int, times: int) -> KafkaSubscription:
    """Subscribe, publish under so many keys, and wait until all of it was fetched."""
    subscription = wire.subscribe()
    assert isinstance(subscription, KafkaSubscription)
    await wire.publish("first")
    subscription.passed(await next_batch(subscription))
    for number in range(keys):
        await wire.publish(f"p{number}", times=times)

    async def fetched() -> bool:
        await subscription._fetch(limit=keys * times)
        return subscription._ahead.records == keys * times

    await eventually(fetched, within=WITHIN)
    return subscription


def _offsets(*batches: Batch) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for batch in batches:
        for record in batch.records:
            found.setdefault(record.partition, []).append(record.offset)
    return found


async def _nothing_waits(wire: Wire) -> bool:
    return await wire.lag() == 0
