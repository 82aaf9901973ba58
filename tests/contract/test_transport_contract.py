"""What every transport must keep, whatever carries the events; one more factory adds one more transport."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from shared.act import Act
from shared.clock import SystemClock
from shared.db import Database, Transaction
from shared.events import dead_letters, held
from shared.events.arrival import Arrival
from shared.events.consumer import Consumer
from shared.events.envelope import Event
from shared.events.handler_call import Handlers
from shared.events.handling import HandlerTable, NotYet
from shared.events.held_retry import HeldRetry
from shared.events.leadership import Deposed
from shared.events.patience import Patience
from shared.events.postgres import PostgresTransport
from shared.events.relay import Relay
from shared.events.topics import REFERRAL
from shared.events.transport import Batch, Subscription, Transport
from tests.conftest import MakeDatabase
from tests.support.events import (
    CONSUMER_METADATA,
    METADATA,
    claim,
    claim_and_roll_back,
    count,
    effects,
    new_toy,
)
from tests.support.eventually import eventually

GROUP = "scheduling"
QUICK = Patience(pauses=(0.01, 0.01), first_wait=0.01, longest_wait=0.02)


@dataclass
class Wire:
    """A publisher and a consumer with a transport between them."""

    publisher: Database
    consumer: Database
    transport: Transport
    relay: Relay
    open: list[Subscription] = field(default_factory=list)

    async def send_all(self) -> None:
        """Relay until the outbox is empty."""
        while await count(self.publisher, "outbox"):
            await self.relay.step()

    async def publish(self, key: str, times: int = 1) -> list[str]:
        """Publish so many events of one aggregate under this key and relay them."""
        toy = await new_toy(self.publisher)
        async with self.publisher.transaction() as tx:
            published = [await claim(tx, toy, key=key) for _ in range(times)]
        await self.send_all()
        return published

    def subscribe(self) -> Subscription:
        """Read as one more owner of the group."""
        self.open.append(self.transport.subscribe(self.consumer, group=GROUP, topics=(REFERRAL,)))
        return self.open[-1]

    def owner(self, table: HandlerTable, *, subscription: Subscription | None = None) -> Consumer:
        """Make one more owner of the group, with these handlers."""
        return Consumer(
            self.consumer,
            subscription or self.subscribe(),
            Handlers(group=GROUP, table=table, clock=SystemClock()),
            batch=200,
            patience=QUICK,
            progressed=lambda: None,
        )

    def retry(self, table: HandlerTable) -> HeldRetry:
        """Make the retrying of the group's held events."""
        handlers = Handlers(group=GROUP, table=table, clock=SystemClock())
        return HeldRetry(self.consumer, handlers, patience=QUICK)


@asynccontextmanager
async def embedded(make_database: MakeDatabase) -> AsyncIterator[Wire]:
    publisher = await make_database(METADATA, name="referral")
    consumer = await make_database(CONSUMER_METADATA, name="scheduling")
    transport = PostgresTransport({"referral": publisher})
    yield Wire(publisher, consumer, transport, Relay(publisher, transport))


@pytest_asyncio.fixture(params=[embedded])
async def wire(request: pytest.FixtureRequest, make_database: MakeDatabase) -> AsyncIterator[Wire]:
    async with request.param(make_database) as made:
        yield made
        for subscription in made.open:
            await subscription.close()
        await made.relay.stop()


async def record_effect(tx: Transaction, event: Event, act: Act) -> None:
    await tx.sql(
        "INSERT INTO effect (event_id, key, version) VALUES (:id, :key, :version)",
        id=event.id,
        key=event.key,
        version=event.version,
    )


WORKING: HandlerTable = {"toy.claimed": record_effect}


def refusing(poison: str) -> HandlerTable:
    async def handler(tx: Transaction, event: Event, act: Act) -> None:
        await record_effect(tx, event, act)
        if event.id == poison:
            raise ValueError("a name that must not be logged")

    return {"toy.claimed": handler}


async def drain(wire: Wire, consumer: Consumer, *, expected: int) -> None:
    async def handled() -> bool:
        await consumer.step()
        return len(await effects(wire.consumer)) >= expected

    await eventually(handled)


def versions(found: Sequence[tuple[str, str, int]], key: str) -> list[int]:
    return [version for _, of_key, version in found if of_key == key]


async def test_an_event_that_stands_twice_in_a_batch_has_one_effect(wire: Wire) -> None:
    await wire.publish("p1", times=2)
    batch = await wire.subscribe().next_batch(limit=10)
    assert batch is not None
    twice = Batch(topic=batch.topic, partition=batch.partition, records=[*batch.records, *batch.records])

    await wire.owner(WORKING).handle(twice)

    assert versions(await effects(wire.consumer), "p1") == [1, 2]


async def test_an_event_that_comes_in_two_batches_has_one_effect(wire: Wire) -> None:
    await wire.publish("p1")
    subscription = wire.subscribe()
    batch = await subscription.next_batch(limit=10)
    assert batch is not None
    consumer = wire.owner(WORKING, subscription=subscription)

    await consumer.handle(batch)
    await consumer.handle(batch)

    assert len(await effects(wire.consumer)) == 1


async def test_an_event_given_to_two_owners_at_once_has_one_effect(wire: Wire) -> None:
    await wire.publish("p1", times=20)
    one, other = wire.owner(WORKING), wire.owner(WORKING)

    await asyncio.gather(one.step(), other.step())
    await drain(wire, one, expected=20)

    assert versions(await effects(wire.consumer), "p1") == list(range(1, 21))


async def test_a_lost_commit_of_the_position_repeats_no_effect(wire: Wire) -> None:
    await wire.publish("p1", times=3)
    subscription = wire.subscribe()
    batch = await subscription.next_batch(limit=10)
    assert batch is not None
    await wire.owner(WORKING, subscription=subscription).handle(batch)

    newcomer = wire.owner(WORKING)
    await newcomer.step()
    await wire.publish("p2")
    await drain(wire, newcomer, expected=4)

    assert versions(await effects(wire.consumer), "p1") == [1, 2, 3]


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
            await tx.flush()
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


async def test_a_poison_event_holds_one_patient_and_nobody_else(wire: Wire) -> None:
    (poison,) = await wire.publish("p1")
    await wire.publish("p2", times=5)
    await wire.publish("p1", times=2)
    consumer = wire.owner(refusing(poison))

    await drain(wire, consumer, expected=5)

    assert {key for _, key, _ in await effects(wire.consumer)} == {"p2"}
    assert [(key.key, key.events) for key in await dead_letters.list_keys(wire.consumer)] == [("p1", 3)]


async def test_held_patients_are_handled_in_order_after_a_restart(wire: Wire) -> None:
    (poison,) = await wire.publish("p1")
    await wire.publish("p1", times=3)
    await wire.publish("p2")
    await drain(wire, wire.owner(refusing(poison)), expected=1)

    retry = wire.retry(WORKING)
    await eventually(lambda: _retried(wire, retry, expected=5))

    assert versions(await effects(wire.consumer), "p1") == [1, 1, 2, 3]
    assert await count(wire.consumer, "held_key") == 0


async def _retried(wire: Wire, retry: HeldRetry, *, expected: int) -> bool:
    await retry.step()
    return len(await effects(wire.consumer)) == expected


async def test_a_dead_key_is_replayed_in_order_against_newcomers(wire: Wire) -> None:
    toy = await new_toy(wire.publisher)
    async with wire.publisher.transaction() as tx:
        published = [await claim(tx, toy, key="p1") for _ in range(8)]
    await wire.send_all()
    consumer, broken = wire.owner(refusing(published[0])), wire.retry(refusing(published[0]))
    await consumer.step()
    await eventually(lambda: _dead(wire, broken))

    async def come() -> None:
        for _ in range(20):
            async with wire.publisher.transaction() as tx:
                await claim(tx, toy, key="p1")
            await wire.send_all()

    mended, retry = wire.owner(WORKING), wire.retry(WORKING)
    coming = asyncio.create_task(come())
    assert await dead_letters.replay(wire.consumer, group=GROUP, key="p1") >= 8
    while len(await effects(wire.consumer)) < 28:
        await asyncio.gather(mended.step(), retry.step())
    await coming

    assert versions(await effects(wire.consumer), "p1") == list(range(1, 29))


async def _dead(wire: Wire, retry: HeldRetry) -> bool:
    await retry.step()
    return [key.state for key in await dead_letters.list_keys(wire.consumer)] == ["dead"]


async def test_a_key_is_not_released_while_a_newcomer_is_being_put_behind_it(wire: Wire) -> None:
    (poison,) = await wire.publish("p1")
    subscription = wire.subscribe()
    await wire.owner(refusing(poison), subscription=subscription).step()
    await wire.publish("p1")
    newcomer = await subscription.next_batch(limit=10)
    assert newcomer is not None
    retry = wire.retry(WORKING)

    async with wire.consumer.transaction() as tx:
        assert await held.held_among(tx, group=GROUP, keys={"p1"}) == {"p1"}
        await asyncio.wait([asyncio.create_task(retry.step())], timeout=1)
        arrival = Arrival(newcomer.records[0])
        await held.hold(tx, group=GROUP, arrival=arrival, patience=QUICK, error=None)
    await eventually(lambda: _retried(wire, retry, expected=2))

    assert await count(wire.consumer, "held_event") == 0


async def test_an_event_that_came_too_early_waits_and_is_handled_without_an_attempt(wire: Wire) -> None:
    await wire.publish("p1", times=2)
    ready = asyncio.Event()

    async def early(tx: Transaction, event: Event, act: Act) -> None:
        if not ready.is_set():
            raise NotYet
        await record_effect(tx, event, act)

    table: HandlerTable = {"toy.claimed": early}
    await wire.owner(table).step()
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

    async def unlucky(tx: Transaction, event: Event, act: Act) -> None:
        for failure in failures:
            raise failure
        await record_effect(tx, event, act)

    consumer = wire.owner({"toy.claimed": unlucky})
    with pytest.raises(ConnectionError):
        await consumer.step()
    assert await count(wire.consumer, "held_key") == 0
    await consumer.step()

    assert versions(await effects(wire.consumer), "p1") == [1, 2]


async def test_a_relay_whose_epoch_is_over_can_send_and_delete_nothing(wire: Wire) -> None:
    await wire.publish("p1")
    toy = await new_toy(wire.publisher)
    async with wire.publisher.transaction() as tx:
        await tx.sql("UPDATE relay_epoch SET epoch = epoch + 1")
        await claim(tx, toy, key="p2")

    with pytest.raises(Deposed):
        await wire.relay.step()

    assert await count(wire.publisher, "outbox") == 1
    assert sum((await wire.subscribe().lag()).values()) == 1


async def test_a_type_that_nobody_knows_yet_is_skipped(wire: Wire) -> None:
    await wire.publish("p1")
    consumer = wire.owner({})
    await consumer.step()

    assert await count(wire.consumer, "held_event") == 0
    assert sum((await wire.open[0].lag()).values()) == 0
