"""A publisher, a consumer, and the embedded log between them, for tests of the worker's parts."""

from dataclasses import dataclass
from datetime import timedelta

from shared.db import Database
from shared.events.inbox.consumer import Consumer
from shared.events.inbox.handler_call import Handlers
from shared.events.inbox.handling import HandlerTable
from shared.events.inbox.retry_policy import RetryPolicy
from shared.events.outbox.relay import Relay
from shared.events.topics import REFERRAL
from shared.events.transport.postgres_log import PostgresTransport
from shared.time_limit import AT_MOST
from tests.conftest import MakeDatabase
from tests.support.context import contexts
from tests.support.events import CONSUMER_METADATA, METADATA, claim, new_toy

GROUP = "scheduling"
PATIENCE = RetryPolicy(pauses=(60,), first_wait=60)


@dataclass
class EmbeddedWire:
    """One topic from one database to another."""

    publisher: Database
    consumer: Database

    @classmethod
    async def make(cls, make_database: MakeDatabase) -> "EmbeddedWire":
        """Make both databases."""
        publisher = await make_database(METADATA, name="referral")
        return cls(publisher, await make_database(CONSUMER_METADATA, name="scheduling"))

    @property
    def transport(self) -> PostgresTransport:
        """Give the transport."""
        return PostgresTransport({"referral": self.publisher})

    async def publish(self, *keys: str) -> list[str]:
        """Publish and relay one event of a new aggregate for each key."""
        toys = [await new_toy(self.publisher) for _ in keys]
        async with self.publisher.transaction() as tx:
            made = [await claim(tx, toy, key=key) for toy, key in zip(toys, keys, strict=True)]
        relay = Relay(self.publisher, self.transport)
        while await relay.step():
            pass
        await relay.stop()
        return made

    def owner(self, table: HandlerTable, *, at_most: timedelta = AT_MOST) -> Consumer:
        """Make an owner of the group with these handlers."""
        return Consumer(
            self.consumer,
            self.transport.subscribe(self.consumer, group=GROUP, topics=(REFERRAL,)),
            Handlers(group=GROUP, table=table, context=contexts(service=GROUP), at_most=at_most),
            batch=200,
            retry_policy=PATIENCE,
            progressed=lambda: None,
        )
