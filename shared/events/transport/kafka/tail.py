"""Looking at topics on Kafka without being a member of any group."""

from collections.abc import AsyncIterator, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.events.topics import TOPICS
from shared.events.transport.base import Record
from shared.events.transport.kafka.address import KafkaAddress
from shared.events.transport.kafka.connection import Connection, finish_within
from shared.events.transport.kafka.records import as_record, one_by_one
from shared.events.transport.kafka.topics import LARGEST_BATCH

_CLEARING = 2.0
_PATIENCE_MS = 1_000


class Tail:
    """Reads these topics from a place on; what was read once is not given again."""

    def __init__(self, address: KafkaAddress, topics: Sequence[str]) -> None:
        self._connection = Connection(address)
        self._topics = {address.topic(topic): topic for topic in topics}
        self._places = [
            TopicPartition(address.topic(topic), number)
            for topic in topics
            for number in range(TOPICS[topic].partitions)
        ]
        self._consumer: AIOKafkaConsumer | None = None

    async def back(self, *, records: int) -> None:
        """Go to the last so many records of every partition."""
        consumer = await self._reading()
        firsts = await consumer.beginning_offsets(self._places)
        ends = await consumer.end_offsets(self._places)
        for place in self._places:
            consumer.seek(place, max(firsts[place], ends[place] - records))

    async def newer(self) -> AsyncIterator[Record]:
        """Give all that has come since; in order within a partition."""
        consumer = await self._reading()
        ends = await consumer.end_offsets(self._places)
        left = {place for place in self._places if await consumer.position(place) < ends[place]}
        while left:
            for record in await self._fetched(consumer, left):
                yield record
            left = {place for place in left if await consumer.position(place) < ends[place]}

    async def _fetched(self, consumer: AIOKafkaConsumer, places: set[TopicPartition]) -> list[Record]:
        starts = {place: await consumer.position(place) for place in places}
        try:
            fetched = await consumer.getmany(*places, timeout_ms=_PATIENCE_MS)
        except UnicodeDecodeError:
            found = await one_by_one(consumer, starts, names=self._topics)
            return [record for records in found.values() for record in records]
        return [
            as_record(record, topic=self._topics[place.topic])
            for place, records in fetched.items()
            for record in records
        ]

    async def close(self) -> None:
        """Close the connection."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await finish_within(_CLEARING, consumer.stop())

    async def _reading(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(
                **await self._connection.options(),
                auto_offset_reset="earliest",
                max_partition_fetch_bytes=LARGEST_BATCH,
                retry_backoff_ms=20,
            )
            consumer.assign(self._places)
            self._consumer = consumer
            await consumer.start()
            firsts = await consumer.beginning_offsets(self._places)
            for place in self._places:
                consumer.seek(place, firsts[place])
        return self._consumer
