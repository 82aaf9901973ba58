"""Reading whole topics on Kafka, by another client than the clinic's own."""

import time
from collections.abc import Mapping, Sequence

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from shared.clock import monotonic
from shared.events.topics import CARETEAM, REFERRAL, SCHEDULING, TOPICS
from shared.events.transport.kafka.address import KafkaAddress
from tests.failure.audit.evidence import PLANTED, PUBLISHERS, Place, Published, topic_of

READS: Mapping[str, tuple[str, ...]] = {
    "referral": (SCHEDULING, CARETEAM),
    "scheduling": (REFERRAL, CARETEAM),
    "careteam": (REFERRAL, SCHEDULING),
    "notifications": (REFERRAL, SCHEDULING, CARETEAM),
}
_PATIENCE = 20.0
_AT_ONCE = 1000
_NOTICED_WITHIN = 90.0


class KafkaLogs:
    """One Kafka as the auditor sees it."""

    def __init__(self, address: KafkaAddress) -> None:
        self._address = address
        self._admin = self._client()

    def lag(self, positions: Mapping[str, Mapping[Place, int]]) -> dict[str, int]:
        """Tell how many records every group has not passed of each topic that it reads.

        A broker that has just come back is asked again for a while.
        """
        deadline = monotonic() + _NOTICED_WITHIN
        while True:
            try:
                return self._lag(positions)
            except KafkaException:
                if monotonic() > deadline:
                    raise
                self._admin = self._client()
                time.sleep(0.5)

    def _client(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self._address.bootstrap, "log_level": 0})

    def _lag(self, positions: Mapping[str, Mapping[Place, int]]) -> dict[str, int]:
        ends = self._ends([topic_of(service) for service in PUBLISHERS])
        behind = {}
        for group, topics in READS.items():
            for topic in topics:
                name = self._address.topic(topic)
                left = [
                    end - positions[group].get((topic, partition), 0)
                    for (on_kafka, partition), end in ends.items()
                    if on_kafka == name
                ]
                behind[f"{group} of {topic}"] = sum(left)
        return behind

    def published(self) -> dict[str, list[Published]]:
        """Read every topic from its first record to its last, each partition in its order."""
        found: dict[str, list[Published]] = {service: [] for service in PUBLISHERS}
        services = {self._address.topic(topic_of(service)): service for service in PUBLISHERS}
        for message in self._records(self._ends([topic_of(service) for service in PUBLISHERS])):
            headers = {name: _text(value) for name, value in message.headers() or []}  # type: ignore[str-unpack]
            if PLANTED not in headers:
                found[services[str(message.topic())]].append(Published.of(headers))
        return found

    def _records(self, ends: Mapping[Place, int]) -> list[Message]:
        consumer = Consumer(
            {
                "bootstrap.servers": self._address.bootstrap,
                "group.id": "auditor",
                "fetch.wait.max.ms": 20,
                "log_level": 0,
            }
        )
        try:
            consumer.assign([TopicPartition(topic, number, 0) for topic, number in ends])
            left, read = dict(ends), []
            deadline = monotonic() + _PATIENCE
            while any(left.values()):
                messages = consumer.consume(_AT_ONCE, timeout=0.2)
                if not messages and monotonic() > deadline:
                    raise TimeoutError(f"{sum(left.values())} records do not come")
                for message in messages:
                    deadline = monotonic() + _PATIENCE
                    if message.error():
                        raise KafkaException(message.error())
                    place = (str(message.topic()), int(message.partition() or 0))
                    left[place] = ends[place] - int(message.offset() or 0) - 1
                    read.append(message)
            return read
        finally:
            consumer.close()

    def _ends(self, topics: Sequence[str]) -> dict[Place, int]:
        asked = {
            TopicPartition(self._address.topic(topic), number): OffsetSpec.latest()  # type: ignore[no-untyped-call]
            for topic in topics
            for number in range(TOPICS[topic].partitions)
        }
        answers = self._admin.list_offsets(asked, request_timeout=_PATIENCE)
        return {(place.topic, place.partition): answer.result().offset for place, answer in answers.items()}


def _text(value: str | bytes | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
