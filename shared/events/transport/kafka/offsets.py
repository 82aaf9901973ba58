"""Where logs end on Kafka and where groups stand, asked of the brokers.

Invariants:
- Whoever asks for the ends of logs while a question is being put together is answered by that question, so
  that all services of a process cost one round trip.
- An answer is an answer only without an error in any of its places: a coordinator that is still loading says
  that a group has no offsets, and an error beside it.
- An error throws the connections away: the next question makes new ones.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.commit import OffsetFetchRequest

from shared.events.topics import TOPICS
from shared.events.transport.base import TopicProgress
from shared.events.transport.kafka.address import KafkaUnusable
from shared.events.transport.kafka.connection import Connection, within

_PATIENCE = 10.0
_CLEARING = 2.0
_METADATA_PAUSE_MS = 20
_PAUSE = 0.05

Offsets = Mapping[TopicPartition, int]
Answer = TypeVar("Answer")


class OffsetReader:
    """Reads offsets of one Kafka; topics and groups by our own names."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client: AIOKafkaClient | None = None
        self._reader: AIOKafkaConsumer | None = None
        self._opening = asyncio.Lock()
        self._coordinators: dict[str, int] = {}
        self._wanted: set[str] = set()
        self._asking: asyncio.Task[Offsets] | None = None

    async def progress(
        self, *, group: str, topics: Sequence[str], committed: Offsets | None = None
    ) -> Mapping[str, TopicProgress]:
        """Tell for each topic how far the group has read it, all partitions together.

        `committed` is what the caller knows to be committed, so that the broker is not asked.
        """
        ends = await self.ends(topics)
        if committed is None:
            committed = await self.committed(group, topics)
        behind = [place for place, end in ends.items() if committed.get(place, 0) < end]
        firsts = await self._firsts(behind) if behind else {}
        lag = {place: max(0, ends[place] - max(committed.get(place, 0), firsts[place])) for place in behind}
        found = {}
        for topic in topics:
            places = [place for place in ends if place.topic == self._connection.address.topic(topic)]
            found[topic] = TopicProgress(
                position=sum(committed.get(place, 0) for place in places),
                end=sum(ends[place] for place in places),
                lag=sum(lag.get(place, 0) for place in places),
            )
        return found

    async def committed(self, group: str, topics: Iterable[str]) -> Offsets:
        """Give the committed offset of every partition of these topics that the group has committed."""
        wanted = [
            (self._connection.address.topic(topic), list(range(TOPICS[topic].partitions))) for topic in topics
        ]

        async def ask() -> Offsets:
            client, name = await self._talking(), self._connection.address.group(group)
            if name not in self._coordinators:
                self._coordinators[name] = await client.coordinator_lookup(CoordinationType.GROUP, name)
            answer = await client.send(self._coordinators[name], OffsetFetchRequest(name, wanted))
            _refuse(answer.error_code)
            found = {}
            for topic, partitions in answer.topics:
                for partition, offset, _, code in partitions:
                    _refuse(code)
                    found[TopicPartition(topic, partition)] = offset
            return {place: offset for place, offset in found.items() if offset >= 0}

        return await self._asked(ask)

    async def ends(self, topics: Iterable[str]) -> Offsets:
        """Give the offset behind the last record of every partition of these topics."""
        wanted = set(topics)
        self._wanted |= wanted
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_ends())
        found = await asyncio.shield(self._asking)
        names = {self._connection.address.topic(topic) for topic in wanted}
        return {place: end for place, end in found.items() if place.topic in names}

    async def close(self) -> None:
        """Let go of every connection."""
        client, self._client = self._client, None
        reader, self._reader = self._reader, None
        self._coordinators.clear()
        if reader is not None:
            await within(_CLEARING, reader.stop())
        if client is not None:
            await within(_CLEARING, client.close())

    async def _ask_ends(self) -> Offsets:
        await asyncio.sleep(0)
        topics, self._wanted, self._asking = self._wanted, set(), None
        places = [place for topic in topics for place in self._places(topic)]

        async def ask() -> Offsets:
            ends: Offsets = await (await self._reading()).end_offsets(places)
            return ends

        return await self._asked(ask)

    async def _firsts(self, places: Sequence[TopicPartition]) -> Offsets:
        async def ask() -> Offsets:
            firsts: Offsets = await (await self._reading()).beginning_offsets(list(places))
            return firsts

        return await self._asked(ask)

    async def _asked(self, question: Callable[[], Awaitable[Answer]]) -> Answer:
        """Ask until there is an answer or the time is up; raises KafkaUnusable or TimeoutError."""
        try:
            async with asyncio.timeout(_PATIENCE):
                while True:
                    try:
                        return await question()
                    except KafkaError as error:
                        self._coordinators.clear()
                        if not error.retriable:
                            raise KafkaUnusable(f"Kafka answers {type(error).__name__}") from error
                    await asyncio.sleep(_PAUSE)
        except Exception:
            await self.close()
            raise

    def _places(self, topic: str) -> list[TopicPartition]:
        name = self._connection.address.topic(topic)
        return [TopicPartition(name, number) for number in range(TOPICS[topic].partitions)]

    async def _talking(self) -> AIOKafkaClient:
        async with self._opening:
            if self._client is None:
                client = AIOKafkaClient(**await self._connection.options())
                await client.bootstrap()
                self._client = client
            return self._client

    async def _reading(self) -> AIOKafkaConsumer:
        async with self._opening:
            if self._reader is None:
                options = await self._connection.options()
                reader = AIOKafkaConsumer(**options, retry_backoff_ms=_METADATA_PAUSE_MS)
                self._reader = reader
                await reader.start()
            return self._reader


def _refuse(code: int) -> None:
    if code:
        raise for_code(code)()
