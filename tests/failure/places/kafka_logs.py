"""Reading whole topics and the positions of groups on Kafka, by another client than the clinic's own."""

from collections.abc import Iterator, Mapping

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from shared.events.kafka import KafkaAddress
from shared.events.topics import CARETEAM, REFERRAL, SCHEDULING, TOPICS
from tests.failure.audit.evidence import PUBLISHERS, Published, topic_of

READS: Mapping[str, tuple[str, ...]] = {
    "referral": (SCHEDULING, CARETEAM),
    "scheduling": (REFERRAL, CARETEAM),
    "careteam": (REFERRAL, SCHEDULING),
    "notifications": (REFERRAL, SCHEDULING, CARETEAM),
}
_PATIENCE = 15.0


def published(address: KafkaAddress) -> dict[str, list[Published]]:
    """Read every topic from its first record to its last, partition by partition."""
    consumer = _consumer(address, "auditor")
    try:
        return {service: list(_records(consumer, address, topic_of(service))) for service in PUBLISHERS}
    finally:
        consumer.close()


def lag(address: KafkaAddress) -> dict[str, int]:
    """Tell how many records every group has not committed of each topic that it reads."""
    behind = {}
    for group, topics in READS.items():
        consumer = _consumer(address, address.group(group))
        try:
            for topic in topics:
                places = _places(address, topic)
                committed = {
                    one.partition: one.offset for one in consumer.committed(places, timeout=_PATIENCE)
                }
                behind[f"{group} of {topic}"] = sum(
                    _left(consumer, place, committed[place.partition]) for place in places
                )
        finally:
            consumer.close()
    return behind


def _left(consumer: Consumer, place: TopicPartition, committed: int) -> int:
    first, end = consumer.get_watermark_offsets(place, timeout=_PATIENCE)
    return int(end - max(committed, first))


def _records(consumer: Consumer, address: KafkaAddress, topic: str) -> Iterator[Published]:
    for place in _places(address, topic):
        first, end = consumer.get_watermark_offsets(place, timeout=_PATIENCE)
        consumer.assign([TopicPartition(place.topic, place.partition, first)])
        at = first
        while at < end:
            message = consumer.poll(_PATIENCE)
            if message is None:
                raise TimeoutError(f"{topic} gives nothing behind {at} of {end}")
            if message.error():
                raise KafkaException(message.error())
            yield _published(message)
            at = int(message.offset() or 0) + 1


def _published(message: Message) -> Published:
    return Published.of({name: bytes(text or b"").decode() for name, text in message.headers() or []})


def _places(address: KafkaAddress, topic: str) -> list[TopicPartition]:
    return [TopicPartition(address.topic(topic), number) for number in range(TOPICS[topic].partitions)]


def _consumer(address: KafkaAddress, group: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": address.bootstrap,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
