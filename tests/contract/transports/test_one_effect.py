"""On every transport: an event may come more often than once, and has its effect once."""

import asyncio
from dataclasses import replace

import pytest

from shared.events.transport.base import Batch
from tests.support.events import effects
from tests.support.transports import WORKING, Wire, drain, next_batch, versions


async def test_an_event_that_stands_twice_in_a_batch_has_one_effect(wire: Wire) -> None:
    await wire.publish("p1", times=2)
    batch = await next_batch(wire.subscribe())
    twice = replace(batch, records=[*batch.records, *batch.records])

    await wire.owner(WORKING, subscription=wire.open[0]).handle(twice)

    assert versions(await effects(wire.consumer), "p1") == [1, 2]


async def test_an_event_that_comes_in_two_batches_has_one_effect(wire: Wire) -> None:
    await wire.publish("p1")
    subscription = wire.subscribe()
    batch = without_moves(await next_batch(subscription))
    consumer = wire.owner(WORKING, subscription=subscription)

    await consumer.handle(batch)
    await consumer.handle(batch)

    assert len(await effects(wire.consumer)) == 1


async def test_an_event_given_to_two_owners_at_once_has_one_effect(wire: Wire) -> None:
    if wire.single:
        pytest.skip("the mock cluster takes one member of a group")
    await wire.publish("p1", times=20)
    one, other = wire.owner(WORKING), wire.owner(WORKING)

    await asyncio.gather(one.step(), other.step())
    await drain(wire, one, other, expected=20)

    assert versions(await effects(wire.consumer), "p1") == list(range(1, 21))


async def test_what_is_read_again_because_its_position_did_not_move_repeats_no_effect(wire: Wire) -> None:
    await wire.publish("p1", times=3)
    subscription = wire.subscribe()
    batch = without_moves(await next_batch(subscription))
    await wire.owner(WORKING, subscription=subscription).handle(batch)
    await wire.leave()

    newcomer = wire.owner(WORKING)
    await wire.publish("p2")
    await drain(wire, newcomer, expected=4)

    assert versions(await effects(wire.consumer), "p1") == [1, 2, 3]


def without_moves(batch: Batch) -> Batch:
    """Let a batch have its effects without moving the position, as nothing of ours does."""
    return replace(batch, moves=())
