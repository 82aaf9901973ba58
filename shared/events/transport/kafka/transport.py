"""Events over Apache Kafka: a topic per publishing service, read by consumer groups.

Invariants:
- What one service publishes about one patient is in one partition, in the order in which it was published.
- The feed is no topic: it stays a log in its publisher's own database, and the relay moves it there itself.
- Kafka's transactions are not used: inbox and outbox make the effect single (docs/adr has the reasons).
"""

from collections.abc import Sequence

from shared.db import Database, Transaction
from shared.events.topics import topics_of
from shared.events.transport.base import OutboxRow
from shared.events.transport.kafka.address import KafkaAddress
from shared.events.transport.kafka.connection import Connection
from shared.events.transport.kafka.offsets import OffsetReader
from shared.events.transport.kafka.producer import OrderedProducer
from shared.events.transport.kafka.subscription import KafkaSubscription
from shared.events.transport.kafka.topics import IN_PLACE


class KafkaTransport:
    """One process's way to Kafka; `replica` is its number among those that do the same."""

    def __init__(self, address: KafkaAddress, *, replica: int = 0) -> None:
        self.address = address
        self._connection = Connection(address)
        self._replica = replica
        self._producer = OrderedProducer(self._connection)
        self._offsets = OffsetReader(self._connection)

    async def send(self, tx: Transaction, rows: Sequence[OutboxRow]) -> None:
        """Send the rows to Kafka; the relay's transaction keeps its epoch meanwhile."""
        await self._producer.send(rows)

    def subscribe(
        self, database: Database, *, group: str, topics: Sequence[str], merged: bool = False
    ) -> KafkaSubscription:
        """Read these topics as this group, from its position in `database`."""
        return KafkaSubscription(
            self._connection,
            self._offsets,
            database,
            group=group,
            topics=topics,
            replica=self._replica,
            merged=merged,
        )

    def in_place(self, publisher: str) -> frozenset[str]:
        """Name the feed to its publisher; everything else is on Kafka."""
        return topics_of(publisher) & IN_PLACE

    async def close(self) -> None:
        """Close every connection."""
        await self._producer.close()
        await self._offsets.close()
