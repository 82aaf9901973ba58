"""Records as Kafka gives them, made into records as consumers take them, whatever is in them.

Invariants:
- Every record of a topic becomes a Record whose key and headers a database takes. What is not UTF-8, or no
  text at all, is replaced, and incoming.py finds that it is no event.
- The client raises where a header's name is not UTF-8, and loses what it had fetched besides. Such a record
  becomes one without key, headers and value: it is held under its place, where Kafka still has it.
"""

import asyncio
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.clock import monotonic
from shared.events.transport.base import Record

_UNKNOWN = "\N{REPLACEMENT CHARACTER}"
_FOUND_WITHIN = 2.0
_PAUSE = 0.01


def as_record(found: ConsumerRecord, *, topic: str) -> Record:
    """Make a Record of what Kafka gave; `topic` is its name without a prefix."""
    return Record(
        topic=topic,
        partition=found.partition,
        offset=found.offset,
        key=_text(found.key),
        headers={_clean(name): _text(value) for name, value in found.headers},
        value=found.value or b"",
    )


async def one_by_one(
    consumer: AIOKafkaConsumer, starts: Mapping[TopicPartition, int], *, names: Mapping[str, str]
) -> dict[TopicPartition, list[Record]]:
    """Return what follows these offsets, up to a record that the client cannot read; that one is the last.

    `names` maps names on Kafka to ours.
    """
    found: dict[TopicPartition, list[Record]] = {}
    for place, offset in starts.items():
        consumer.seek(place, offset)
    deadline = monotonic() + _FOUND_WITHIN
    while monotonic() < deadline:
        for place in starts:
            topic, taken = names[place.topic], found.setdefault(place, [])
            try:
                fetched = await consumer.getmany(place, max_records=1)
            except UnicodeDecodeError:
                offset = await consumer.position(place)
                taken.append(_unreadable(topic, place.partition, offset))
                consumer.seek(place, offset + 1)
                deadline = monotonic()
                break
            taken += [as_record(record, topic=topic) for some in fetched.values() for record in some]
        await asyncio.sleep(_PAUSE if not any(found.values()) else 0)
    return {place: taken for place, taken in found.items() if taken}


def _unreadable(topic: str, partition: int, offset: int) -> Record:
    return Record(topic=topic, partition=partition, offset=offset, key="", headers={}, value=b"")


def _text(raw: bytes | None) -> str:
    return _clean((raw or b"").decode(errors="replace"))


def _clean(text: str) -> str:
    return text.replace("\0", _UNKNOWN)
