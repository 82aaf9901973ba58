"""On every transport: what cannot be handled waits in order, and keeps nobody else waiting."""

import asyncio

import pytest

from shared.context import Context
from shared.db import Transaction
from shared.events.envelope import Event
from shared.events.inbox import dead_letters, deduplication, held_events
from shared.events.inbox.handling import HandlerTable, NotYet
from shared.events.inbox.held_retry import HeldRetry
from shared.events.inbox.incoming import IncomingRecord
from tests.support.events import claim, count, effects, new_toy, record
from tests.support.eventually import eventually
from tests.support.transports import (
    GROUP,
    QUICK,
    WORKING,
    Wire,
    drain,
    next_batch,
    refusing,
    until_held,
    versions,
)


async def test_a_poison_event_holds_one_patient_and_nobody_else(wire: Wire) -> None:
    (poison,) = await wire.publish("p1")
    await wire.publish("p2", times=5)
    await wire.publish("p1", times=2)
    consumer = wire.owner(refusing(poison))

    await drain(wire, consumer, expected=5)
    keys = await until_held(wire, consumer, events=3)

    assert {key for _, key, _ in await effects(wire.consumer)} == {"p2"}
    assert [(key.key, key.events) for key in keys] == [("p1", 3)]


async def test_held_patients_are_handled_in_order_after_a_restart(wire: Wire) -> None:
    (poison,) = await wire.publish("p1")
    await wire.publish("p1", times=3)
    await wire.publish("p2")
    consumer = wire.owner(refusing(poison))
    await drain(wire, consumer, expected=1)
    await until_held(wire, consumer, events=4)

    retry = wire.retry(WORKING)
    await eventually(lambda: _retried(wire, retry, expected=5))

    assert versions(await effects(wire.consumer), "p1") == [1, 1, 2, 3]
    assert await count(wire.consumer, "held_key") == 0


async def test_a_dead_key_is_replayed_in_order_against_newcomers(wire: Wire) -> None:
    toy = await new_toy(wire.publisher)
    async with wire.publisher.transaction() as tx:
        published = [await claim(tx, toy, key="p1") for _ in range(8)]
    await wire.send_all()
    broken = wire.retry(refusing(published[0]))
    await until_held(wire, wire.owner(refusing(published[0])), events=8)
    await eventually(lambda: _dead(wire, broken))
    await wire.leave()

    async def come() -> None:
        for _ in range(20):
            async with wire.publisher.transaction() as tx:
                await claim(tx, toy, key="p1")
            await wire.send_all()

    mended, retry = wire.owner(WORKING), wire.retry(WORKING)
    coming = asyncio.create_task(come())
    async with wire.consumer.transaction() as tx:
        assert await dead_letters.replay(tx, group=GROUP, key="p1") >= 8
    while len(await effects(wire.consumer)) < 28:
        await asyncio.gather(mended.step(), retry.step())
    await coming

    assert versions(await effects(wire.consumer), "p1") == list(range(1, 29))


async def test_a_key_is_not_released_while_a_newcomer_is_being_put_behind_it(wire: Wire) -> None:
    (poison,) = await wire.publish("p1")
    subscription = wire.subscribe()
    await until_held(wire, wire.owner(refusing(poison), subscription=subscription))
    await wire.publish("p1")
    newcomer = await next_batch(subscription)
    retry = wire.retry(WORKING)

    async with wire.consumer.transaction() as tx:
        admission = await deduplication.admit(tx, group=GROUP, keys=["p1"], events=[])
        assert admission.held == {"p1"}
        await asyncio.wait([asyncio.create_task(retry.step())], timeout=1)
        arrival = IncomingRecord(newcomer.records[0])
        await held_events.hold(tx, [(arrival, None)], group=GROUP, retry_policy=QUICK)
    await eventually(lambda: _retried(wire, retry, expected=2))

    assert await count(wire.consumer, "held_event") == 0


async def test_an_event_that_came_too_early_waits_and_is_handled_without_an_attempt(wire: Wire) -> None:
    await wire.publish("p1", times=2)
    ready = asyncio.Event()

    async def early(ctx: Context, tx: Transaction, event: Event) -> None:
        if not ready.is_set():
            raise NotYet
        await record(ctx, tx, event)

    table: HandlerTable = {"toy.claimed": early}
    await until_held(wire, wire.owner(table), events=2)
    retry = wire.retry(table)
    for _ in range(5):
        await retry.step()
    (early_key,) = await dead_letters.list_keys(wire.consumer)
    assert (early_key.state, early_key.attempts) == ("retrying", 0)

    ready.set()
    await eventually(lambda: _retried(wire, retry, expected=2))
    assert versions(await effects(wire.consumer), "p1") == [1, 2]


async def test_an_error_of_the_machine_repeats_the_batch_and_holds_nothing(wire: Wire) -> None:
    await wire.publish("p1", times=2)
    failures = iter([ConnectionError()])

    async def unlucky(ctx: Context, tx: Transaction, event: Event) -> None:
        for failure in failures:
            raise failure
        await record(ctx, tx, event)

    consumer = wire.owner({"toy.claimed": unlucky})
    with pytest.raises(ConnectionError):
        await drain(wire, consumer, expected=2)
    assert await count(wire.consumer, "held_key") == 0
    await consumer.step()

    assert versions(await effects(wire.consumer), "p1") == [1, 2]


async def _retried(wire: Wire, retry: HeldRetry, *, expected: int) -> bool:
    await retry.step()
    return len(await effects(wire.consumer)) == expected


async def _dead(wire: Wire, retry: HeldRetry) -> bool:
    await retry.step()
    return [key.state for key in await dead_letters.list_keys(wire.consumer)] == ["dead"]
