"""The topics on Kafka: made from the table in shared/events/topics.py, and checked against it.

Invariants:
- A topic is deleted from at its retention's end and never compacted: a repeated old record would win.
- A topic that is there already is checked and never changed.
- Three copies where there are three brokers, and then two must have a record before it counts as sent.
"""

import asyncio
import itertools
from collections.abc import Mapping
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from shared.clock import monotonic
from shared.events.topics import FEED, TOPICS, Topic
from shared.events.transport.kafka.address import KafkaAddress, KafkaUnusable
from shared.events.transport.kafka.connection import Connection

# More than incoming.py takes, so that a record that is too large is seen and held, and not refused or hidden.
LARGEST_BATCH = 8_000_000
_MOST_COPIES = 3
_MADE_WITHIN = 20.0
_PAUSE = 0.02
_DAY_MS = 86_400_000

IN_PLACE = frozenset({FEED})
ON_KAFKA: tuple[Topic, ...] = tuple(topic for topic in TOPICS.values() if topic.name not in IN_PLACE)


async def prepare_topics(address: KafkaAddress) -> None:
    """Make the topics that are missing, then check all; raises KafkaUnusable with one line."""
    async with _Admin(address) as admin:
        there = await admin.topics()
        missing = [topic for topic in ON_KAFKA if address.topic(topic.name) not in there]
        if missing:
            await admin.make(missing)
        await _check(address, admin)


async def check_topics(address: KafkaAddress) -> None:
    """Check that every topic is as the table says; raises KafkaUnusable with one line."""
    async with _Admin(address) as admin:
        await _check(address, admin)


async def _check(address: KafkaAddress, admin: "_Admin") -> None:
    there = await admin.topics()
    for topic in ON_KAFKA:
        name = address.topic(topic.name)
        if name not in there:
            raise KafkaUnusable(f"the topic {name} is missing")
        if there[name] < topic.partitions:
            raise KafkaUnusable(f"the topic {name} has {there[name]} partitions and needs {topic.partitions}")
    for name, settings in (await admin.settings()).items():
        if "compact" in settings.get("cleanup.policy", ""):
            raise KafkaUnusable(f"the topic {name} is compacted, and an old record repeated would win")
        if int(settings.get("max.message.bytes", LARGEST_BATCH)) < LARGEST_BATCH:
            raise KafkaUnusable(f"the topic {name} needs max.message.bytes of {LARGEST_BATCH} or more")


class _Admin:
    """The administration of one Kafka, for the duration of the block."""

    def __init__(self, address: KafkaAddress) -> None:
        self._address = address
        self._client: AIOKafkaAdminClient

    async def __aenter__(self) -> "_Admin":
        self._client = AIOKafkaAdminClient(**await Connection(self._address).options())
        try:
            await self._client.start()
        except KafkaError as error:
            await self._client.close()
            raise KafkaUnusable(f"{self._address.bootstrap} does not answer") from error
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def topics(self) -> Mapping[str, int]:
        """Return the number of partitions of every topic that is ready to be used.

        All topics are asked for: to ask for one by its name would make it, where brokers do such things.
        """
        found = await self._client.describe_topics()
        return {
            topic["topic"]: len(topic["partitions"])
            for topic in found
            if all(partition["leader"] >= 0 for partition in topic["partitions"])
        }

    async def make(self, topics: list[Topic]) -> None:
        """Make topics and wait until they are ready; another process may have made them meanwhile."""
        brokers = len((await self._client.describe_cluster())["brokers"])
        wanted = [_new(self._address.topic(topic.name), topic, brokers) for topic in topics]
        answer = await self._client.create_topics(wanted)
        for name, code, *_ in answer.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise KafkaUnusable(f"the topic {name} cannot be made: {error.__name__}")
        names, deadline = {topic.name for topic in wanted}, monotonic() + _MADE_WITHIN
        for pause in itertools.repeat(_PAUSE):
            if names <= (await self.topics()).keys() or monotonic() > deadline:
                return
            await asyncio.sleep(pause)

    async def settings(self) -> Mapping[str, Mapping[str, str]]:
        """Return the settings of our topics; none where we may not see them."""
        asked = [
            ConfigResource(ConfigResourceType.TOPIC, self._address.topic(topic.name)) for topic in ON_KAFKA
        ]
        found: dict[str, dict[str, str]] = {}
        for answer in await self._client.describe_configs(asked):
            for code, _, _, name, entries in answer.resources:
                if not code:
                    found[name] = {entry[0]: entry[1] for entry in entries}
        return found


def _new(name: str, topic: Topic, brokers: int) -> Any:
    copies = min(_MOST_COPIES, brokers)
    return NewTopic(
        name,
        topic.partitions,
        copies,
        topic_configs={
            "cleanup.policy": "delete",
            "retention.ms": str(topic.retention_days * _DAY_MS),
            "max.message.bytes": str(LARGEST_BATCH),
            "min.insync.replicas": str(max(1, copies - 1)),
        },
    )
