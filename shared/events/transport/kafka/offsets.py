"""Where logs begin and end on Kafka, asked of the brokers.

Invariant: an error throws the connection away, and the next question makes a new one.
"""

import asyncio
from collections.abc import Collection, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.events.topics import TOPICS
from shared.events.transport.base import Extent
from shared.events.transport.kafka.address import KafkaUnusable
from shared.events.transport.kafka.connection import Connection, finish_within
from shared.events.transport.positions import Partition

_ANSWERS_WITHIN = 10.0
_CLEARING = 2.0
_METADATA_PAUSE_MS = 20


class OffsetReader:
    """Reads offsets of one Kafka; topics by our own names."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._reader: AIOKafkaConsumer | None = None
        self._opening = asyncio.Lock()

    async def extents(
        self, topics: Collection[str], *, read: Mapping[Partition, int]
    ) -> Mapping[Partition, Extent]:
        """Return where every partition's log begins and ends; the beginning is 0 where all of it is read.

        Raises KafkaUnusable or TimeoutError where no broker answers.
        """
        places = {
            (topic, number): TopicPartition(self._connection.address.topic(topic), number)
            for topic in topics
            for number in range(TOPICS[topic].partitions)
        }
        try:
            async with asyncio.timeout(_ANSWERS_WITHIN):
                reader = await self._reading()
                ends = await reader.end_offsets(list(places.values()))
                behind = [
                    place for partition, place in places.items() if read.get(partition, 0) < ends[place]
                ]
                firsts = await reader.beginning_offsets(behind) if behind else {}
        except KafkaError as error:
            await self.close()
            raise KafkaUnusable(f"Kafka answers {type(error).__name__}") from error
        except TimeoutError:
            await self.close()
            raise
        return {
            partition: Extent(first=firsts.get(place, 0), end=ends[place])
            for partition, place in places.items()
        }

    async def close(self) -> None:
        """Close the connection."""
        reader, self._reader = self._reader, None
        if reader is not None:
            await finish_within(_CLEARING, reader.stop())

    async def _reading(self) -> AIOKafkaConsumer:
        async with self._opening:
            if self._reader is None:
                options = await self._connection.options()
                reader = AIOKafkaConsumer(**options, retry_backoff_ms=_METADATA_PAUSE_MS)
                self._reader = reader
                await reader.start()
            return self._reader
