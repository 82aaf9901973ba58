"""Reading whole topics and the positions of groups on Kafka, by another client than the clinic's own."""

import time
from collections.abc import Mapping, Sequence

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from shared.clock import monotonic
from shared.events.topics import CARETEAM, REFERRAL, SCHEDULING, TOPICS
from shared.events.transport.kafka.address import KafkaAddress
from tests.failure.audit.evidence import PLANTED, PUBLISHERS, Published, topic_of

READS: Mapping[str, tuple[str, ...]] = {
    "referral": (SCHEDULING, CARETEAM),
    "scheduling": (REFERRAL, CARETEAM),
    "careteam": (REFERRAL, SCHEDULING),
    "notifications": (REFERRAL, SCHEDULING, CARETEAM),
}
_PATIENCE = 20.0
_AT_ONCE = 1000
_NOTICED_WITHIN = 90.0

Place = tuple[str, int]


class KafkaLogs:
    """One Kafka as the auditor sees it."""

    def __init__(self, address: KafkaAddress) -> None:
        self._address = address
        self._admin = self._client()

    def lag(self) -> dict[str, int]:
        """Tell how many records every group has not committed of each topic that it reads.

        A broker that has just come back is asked again for a while.
        """
        deadline = monotonic() + _NOTICED_WITHIN
        while True:
            try:
                return self._lag()
            except KafkaException:
                if monotonic() > deadline:
                    raise
                self._admin = self._client()
                time.sleep(0.5)

    def _client(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self._address.bootstrap, "log_level": 0})

    def _lag(self) -> dict[str, int]:
        ends = self._ends([topic_of(service) for service in PUBLISHERS])
        behind = {}
        for group, topics in READS.items():
            committed = self._committed(group)
            for topic in topics:
                name = self._address.topic(topic)
                left = [end - committed.get(place, 0) for place, end in ends.items() if place[0] == name]
                behind[f"{group} of {topic}"] = sum(left)
        return behind

    def set_back(self) -> int:
        """Set every group back to offset 0 of all that it reads, and tell how many records that is."""
        back = 0
        for group, topics in READS.items():
            name, committed = self._address.group(group), self._committed(group)
            back += sum(committed.values())
            places = [
                TopicPartition(self._address.topic(topic), number, 0)
                for topic in topics
                for number in range(TOPICS[topic].partitions)
            ]
            asked = [ConsumerGroupTopicPartitions(name, places)]
            self._until_nobody_reads(asked)
        return back

    def _until_nobody_reads(self, asked: list[ConsumerGroupTopicPartitions]) -> None:
        """Alter a group's offsets, which the broker allows once it has noticed that its members are dead."""
        deadline = monotonic() + _NOTICED_WITHIN
        while True:
            try:
                for answer in self._admin.alter_consumer_group_offsets(asked).values():
                    answer.result()
                return
            except KafkaException:
                if monotonic() > deadline:
                    raise
                time.sleep(0.5)

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

    def _committed(self, group: str) -> dict[Place, int]:
        name = self._address.group(group)
        asked = self._admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(name)], request_timeout=_PATIENCE
        )
        found = asked[name].result().topic_partitions or []
        return {(place.topic, place.partition): max(0, place.offset) for place in found}


def _text(value: str | bytes | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
