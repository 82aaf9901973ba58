"""Sending rows of an outbox to Kafka so that nothing overtakes.

Invariants:
- Of one partition at most one batch is on its way, and the broker appends a batch as a whole or not at all:
  when it fails, nothing that comes after it has been sent.
- A producer that failed is thrown away. What it had on its way may still arrive, and is then a repetition of
  what its successor sends first: a prefix again, never a later event before an earlier one.
"""

import asyncio
import zlib
from collections import deque
from collections.abc import Iterator, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.events.topics import TOPICS
from shared.events.transport.base import OutboxRow
from shared.events.transport.kafka.connection import Connection, finish_within

_BATCH_BYTES = 1_000_000
_PATIENCE = 10.0
_CLEARING = 1.0

Place = tuple[str, int]


class OrderedProducer:
    """This process's producer, made when there is something to send."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._producer: AIOKafkaProducer | None = None

    async def send(self, rows: Sequence[OutboxRow]) -> None:
        """Send rows in order; returns when every broker that must has them, raises when one does not."""
        try:
            async with asyncio.timeout(_PATIENCE):
                producer = await self._started()
                waiting = self._by_partition(rows)
                while waiting:
                    await self._send_wave(producer, waiting)
        except BaseException:
            await self.discard()
            raise

    async def close(self) -> None:
        """End the producer; nothing is on its way when nobody sends."""
        producer, self._producer = self._producer, None
        if producer is not None and not await finish_within(_CLEARING, producer.stop()):
            await producer.client.close()

    async def discard(self) -> None:
        """Throw the producer away without waiting for what it has on its way."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _end_without_flushing(producer)

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **await self._connection.options(),
                acks="all",
                enable_idempotence=True,
                linger_ms=0,
                max_batch_size=_BATCH_BYTES,
            )
            self._producer = producer
            await producer.start()
        return self._producer

    async def _send_wave(self, producer: AIOKafkaProducer, waiting: dict[Place, deque[OutboxRow]]) -> None:
        """Send the next batch of every partition, all together."""
        sent = []
        for place, rows in list(waiting.items()):
            topic, partition = place
            batch = _filled(producer.create_batch(), rows)
            sent.append(await producer.send_batch(batch, topic, partition=partition))
            if not rows:
                del waiting[place]
        for failure in await asyncio.gather(*sent, return_exceptions=True):
            if isinstance(failure, BaseException):
                raise failure

    def _by_partition(self, rows: Sequence[OutboxRow]) -> dict[Place, deque[OutboxRow]]:
        found: dict[Place, deque[OutboxRow]] = {}
        for row in rows:
            place = self._connection.address.topic(row.topic), partition_of(row.topic, row.key)
            found.setdefault(place, deque()).append(row)
        return found


async def _end_without_flushing(producer: AIOKafkaProducer) -> None:
    """End a producer that failed; `stop()` would first wait for what it has on its way, as long as a
    broker is away, and aiokafka 0.14 has no public way around that.
    """
    producer._closed = True
    await finish_within(_CLEARING, producer._sender.close())
    await producer.client.close()


def partition_of(topic: str, key: str) -> int:
    """Return the partition of a key: by the table's number of partitions, whatever a broker has besides."""
    return zlib.crc32(key.encode()) % TOPICS[topic].partitions


def _filled(batch: BatchBuilder, rows: deque[OutboxRow]) -> BatchBuilder:
    """Put as many rows into a batch as fit, at least one."""
    for key, value, headers in _records(rows):
        if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
            break
        rows.popleft()
    batch.close()
    return batch


def _records(rows: deque[OutboxRow]) -> Iterator[tuple[bytes, bytes, list[tuple[str, bytes]]]]:
    while rows:
        row = rows[0]
        yield row.key.encode(), row.value, [(name, text.encode()) for name, text in row.headers.items()]
