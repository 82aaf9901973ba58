"""On every transport: one patient's events come in order, and none is lost."""

import asyncio
import random

import pytest

from shared.events.outbox.leader_election import NotLeader
from tests.support.events import claim, claim_and_roll_back, count, effects, new_toy
from tests.support.sql import sql
from tests.support.transports import WORKING, Wire, drain, versions


async def test_one_patients_events_stay_in_order_under_sixteen_writers(wire: Wire) -> None:
    toys = {f"p{number}": await new_toy(wire.publisher) for number in range(5)}

    async def write(seed: int) -> None:
        choose = random.Random(seed)
        for _ in range(10):
            key = choose.choice(list(toys))
            async with wire.publisher.transaction() as tx:
                await claim(tx, toys[key], key=key)
                await asyncio.sleep(choose.random() / 200)

    async def relay() -> None:
        while not writing.done() or await count(wire.publisher, "outbox"):
            await wire.relay.step()

    writing = asyncio.gather(*(write(seed) for seed in range(16)))
    await asyncio.gather(writing, relay())
    consumer = wire.owner(WORKING)
    await drain(wire, consumer, expected=160)

    found = await effects(wire.consumer)
    assert len(found) == 160
    for key in toys:
        assert versions(found, key) == list(range(1, len(versions(found, key)) + 1))


async def test_nothing_is_lost_when_transactions_are_slow_or_rolled_back(wire: Wire) -> None:
    slow, quick, undone = [await new_toy(wire.publisher) for _ in range(3)]
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def write_slowly() -> None:
        async with wire.publisher.transaction() as tx:
            await claim(tx, slow, key="slow")
            begun.set()
            await go_on.wait()

    writing = asyncio.create_task(write_slowly())
    await begun.wait()
    await claim_and_roll_back(wire.publisher, undone, key="undone")
    async with wire.publisher.transaction() as tx:
        await claim(tx, quick, key="quick")
    await wire.relay.step()
    consumer = wire.owner(WORKING)
    await drain(wire, consumer, expected=1)
    go_on.set()
    await writing
    await wire.send_all()
    await drain(wire, consumer, expected=2)

    assert [key for _, key, _ in await effects(wire.consumer)] == ["quick", "slow"]


async def test_a_relay_whose_epoch_is_over_can_send_and_delete_nothing(wire: Wire) -> None:
    await wire.publish("p1")
    toy = await new_toy(wire.publisher)
    async with wire.publisher.transaction() as tx:
        await sql(tx, "UPDATE relay_epoch SET epoch = epoch + 1")
        await claim(tx, toy, key="p2")

    with pytest.raises(NotLeader):
        await wire.relay.step()

    assert await count(wire.publisher, "outbox") == 1
    assert await wire.lag() == 1
