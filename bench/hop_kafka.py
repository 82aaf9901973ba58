"""The floor of a hop on Kafka: the same bytes through a bare client.

An aiokafka producer (acks=all, idempotent) sends them in batches of 100, and a consumer without a group takes
them by getmany; nothing is committed and no database is touched.
"""

import asyncio
import time
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from shared.events.transport.base import OutboxRow
from shared.events.transport.kafka.address import KafkaAddress

BATCH = 100


async def rate(kafka: KafkaAddress, rows: Sequence[OutboxRow]) -> float:
    """Move these events without anything around them, and give the events per second."""
    topic = f"{kafka.prefix}lumbar.careteam"
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka.bootstrap, group_id=None, auto_offset_reset="latest"
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, acks="all", enable_idempotence=True, linger_ms=0
    )
    await consumer.start()
    await producer.start()
    await consumer.seek_to_end()
    for partition in consumer.assignment():
        await consumer.position(partition)
    began = time.monotonic()
    await asyncio.gather(_send(producer, topic, rows), _take(consumer, len(rows)))
    took = time.monotonic() - began
    await producer.stop()
    await consumer.stop()
    return len(rows) / took


async def _send(producer: AIOKafkaProducer, topic: str, rows: Sequence[OutboxRow]) -> None:
    for start in range(0, len(rows), BATCH):
        sent = [
            await producer.send(
                topic,
                row.value,
                key=row.key.encode(),
                headers=[(name, text.encode()) for name, text in row.headers.items()],
            )
            for row in rows[start : start + BATCH]
        ]
        await asyncio.gather(*sent)


async def _take(consumer: AIOKafkaConsumer, count: int) -> None:
    taken = 0
    while taken < count:
        found = await consumer.getmany(timeout_ms=1000)
        taken += sum(len(records) for records in found.values())
