"""A publisher and a consumer with a transport between them, for what must hold on every transport."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from shared.context import Context
from shared.db import Database, Transaction
from shared.events.envelope import Event
from shared.events.inbox import dead_letters
from shared.events.inbox.consumer import Consumer
from shared.events.inbox.handler_call import Handlers
from shared.events.inbox.handling import HandlerTable
from shared.events.inbox.held_retry import HeldRetry
from shared.events.inbox.retry_policy import RetryPolicy
from shared.events.outbox.relay import Relay
from shared.events.topics import REFERRAL
from shared.events.transport.base import Batch, OutboxRow, Subscription, Transport
from shared.events.transport.kafka.address import KafkaAddress
from shared.events.transport.kafka.topics import prepare_topics
from shared.events.transport.kafka.transport import KafkaTransport
from shared.events.transport.postgres_log import PostgresTransport
from shared.ids import new_text_id
from tests.conftest import MakeDatabase
from tests.support.context import contexts
from tests.support.events import CONSUMER_METADATA, METADATA, claim, count, effects, new_toy, record
from tests.support.eventually import eventually
from tests.support.kafka import kafka_of_run
from tests.support.kafka_mock import mock_kafka

GROUP = "scheduling"
QUICK = RetryPolicy(pauses=(0.01, 0.01), first_wait=0.01, longest_wait=0.02)
# A group that rebalances on a busy machine takes seconds.
WITHIN = 40.0


@dataclass
class Wire:
    """One publisher, its relay, and owners of a group; `replica` makes the transport of one more process.

    `single` says that a group can have one owner only.
    """

    publisher: Database
    consumer: Database
    replica: Callable[[int], Transport]
    transport: Transport
    relay: Relay
    single: bool = False
    open: list[Subscription] = field(default_factory=list)
    transports: list[Transport] = field(default_factory=list)

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

    async def put(self, *, key: str, headers: Mapping[str, str], value: bytes) -> None:
        """Put a record of any shape where consumers read, as somebody else may."""
        row = OutboxRow(id=0, event_id=new_text_id(), topic=REFERRAL, key=key, headers=headers, value=value)
        async with self.publisher.transaction() as tx:
            await self.transport.send(tx, [row])

    def subscribe(self) -> Subscription:
        """Read as one more owner of the group."""
        transport = self.replica(len(self.open))
        self.transports.append(transport)
        self.open.append(transport.subscribe(self.consumer, group=GROUP, topics=(REFERRAL,)))
        return self.open[-1]

    async def leave(self) -> None:
        """End all owners of the group, as a restart does."""
        subscriptions, self.open = self.open, []
        for subscription in subscriptions:
            await subscription.close()

    async def close(self) -> None:
        """Let go of everything."""
        await self.leave()
        await self.relay.stop()
        for transport in (self.transport, *self.transports):
            await transport.close()

    def owner(self, table: HandlerTable, *, subscription: Subscription | None = None) -> Consumer:
        """Make one more owner of the group, with these handlers."""
        return Consumer(
            self.consumer,
            subscription or self.subscribe(),
            Handlers(group=GROUP, table=table, context=contexts(service=GROUP)),
            batch=200,
            retry_policy=QUICK,
            progressed=lambda: None,
        )

    def retry(self, table: HandlerTable) -> HeldRetry:
        """Make the retrying of the group's held events."""
        handlers = Handlers(group=GROUP, table=table, context=contexts(service=GROUP))
        return HeldRetry(self.consumer, handlers, retry_policy=QUICK)

    async def lag(self) -> int:
        """Tell how many records the group has not read."""
        subscription = self.open[0] if self.open else self.subscribe()
        return sum(progress.lag for progress in (await subscription.progress()).values())


@asynccontextmanager
async def embedded(make_database: MakeDatabase) -> AsyncIterator[Wire]:
    """Put the embedded log between two databases."""
    publisher = await make_database(METADATA, name="referral")
    consumer = await make_database(CONSUMER_METADATA, name="scheduling")
    transport = PostgresTransport({"referral": publisher})
    wire = Wire(publisher, consumer, lambda _: transport, transport, Relay(publisher, transport))
    yield wire
    await wire.close()


@asynccontextmanager
async def kafka(make_database: MakeDatabase) -> AsyncIterator[Wire]:
    """Put the run's Kafka between two databases; where there is none and need not be, the mock cluster."""
    try:
        address = kafka_of_run()
    except pytest.skip.Exception:
        async with mocked(make_database) as wire:
            yield wire
        return
    await prepare_topics(address)
    async with over(address, make_database) as wire:
        yield wire


@asynccontextmanager
async def mocked(make_database: MakeDatabase) -> AsyncIterator[Wire]:
    """Put the mock cluster between two databases."""
    with mock_kafka() as address:
        async with over(address, make_database) as wire:
            wire.single = True
            yield wire


@asynccontextmanager
async def over(address: KafkaAddress, make_database: MakeDatabase) -> AsyncIterator[Wire]:
    """Put this Kafka, which has our topics, between two databases."""
    publisher = await make_database(METADATA, name="referral")
    consumer = await make_database(CONSUMER_METADATA, name="scheduling")
    transport = KafkaTransport(address)
    wire = Wire(
        publisher,
        consumer,
        lambda number: KafkaTransport(address, replica=number),
        transport,
        Relay(publisher, transport),
    )
    yield wire
    await wire.close()


WORKING: HandlerTable = {"toy.claimed": record}


def refusing(poison: str) -> HandlerTable:
    """Handle as WORKING does, but fail at the event of this id."""

    async def handler(ctx: Context, tx: Transaction, event: Event) -> None:
        await record(ctx, tx, event)
        if event.id == poison:
            raise ValueError("a name that must not be logged")

    return {"toy.claimed": handler}


async def next_batch(subscription: Subscription) -> Batch:
    """Read the next batch, however long the group takes to come together."""
    found = await eventually(lambda: subscription.next_batch(limit=10), within=WITHIN)
    assert isinstance(found, Batch)
    return found


async def drain(wire: Wire, *owners: Consumer, expected: int) -> None:
    """Let the owners work until there are so many effects."""

    async def handled() -> bool:
        await asyncio.gather(*(owner.step() for owner in owners))
        return len(await effects(wire.consumer)) >= expected

    await eventually(handled, within=WITHIN)


async def until_held(wire: Wire, owner: Consumer, *, events: int = 1) -> list[dead_letters.HeldKeySummary]:
    """Let an owner work until so many events are held, and give their keys."""

    async def held() -> bool:
        await owner.step()
        return await count(wire.consumer, "held_event") >= events

    await eventually(held, within=WITHIN)
    return list(await dead_letters.list_keys(wire.consumer))


def versions(found: Sequence[tuple[str, str, int]], key: str) -> list[int]:
    """Give the versions of a key's effects in the order in which they happened."""
    return [version for _, of_key, version in found if of_key == key]
