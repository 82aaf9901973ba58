"""What one member of a group has fetched and not yet handed out.

Invariants:
- Everything that a fetch brings is taken at once, whatever the handlers do meanwhile: a partition whose
  records wait inside the client is left out of the next fetch, and its news would come a whole fetch later.
- What is handed out is of one topic and from all its partitions, so that a batch is as large as the backlog
  and not a sixth of it. Records of a partition stay in order; the topic whose next record is oldest has its
  turn, and who falls behind so hears of things in about the order in which they happened.
- Where a partition does not begin at the offset that was committed, records are gone; that is told loudly.
"""

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.events.polling_loop import WakeSignal
from shared.events.transport.kafka.offsets import OffsetReader

log = structlog.get_logger("lumbar.transport")

_ENOUGH = 2_000
_WAIT_MS = 1_000


class Fetching:
    """The records that a consumer has brought, until they are handed out or taken away.

    `topics` maps the names on Kafka to ours; `committed` is what was when the partitions came to us.
    """

    def __init__(
        self, consumer: AIOKafkaConsumer, offsets: OffsetReader, *, group: str, topics: Mapping[str, str]
    ) -> None:
        self.committed: Mapping[TopicPartition, int] | None = None
        self._consumer = consumer
        self._offsets = offsets
        self._group = group
        self._topics = topics
        self._waiting: OrderedDict[TopicPartition, deque[ConsumerRecord]] = OrderedDict()
        self._number = 0
        self._generation = 0
        self._expected: dict[TopicPartition, int] = {}
        self._news, self._room = WakeSignal(), WakeSignal()
        self._task = asyncio.create_task(self._fetch_for_ever())

    async def take(self, *, limit: int, at_most: float) -> Sequence[ConsumerRecord]:
        """Give the next records of the topic whose turn it is, or wait for so many seconds and give none.

        Raises whatever ended the fetching.
        """
        if not self._waiting:
            self._news.clear()
            if self._task.done():
                self._task.result()
            await self._news.wait(at_most=at_most)
        found: list[ConsumerRecord] = []
        for place in self._whose_turn_it_is():
            if len(found) == limit:
                break
            records = self._waiting.pop(place)
            found += [records.popleft() for _ in range(min(limit - len(found), len(records)))]
            if records:
                self._waiting[place] = records
        self._number -= len(found)
        self._room.set()
        return found

    def _whose_turn_it_is(self) -> list[TopicPartition]:
        oldest = min(self._waiting, key=lambda place: self._waiting[place][0].timestamp, default=None)
        return [place for place in self._waiting if oldest is not None and place.topic == oldest.topic]

    def drop(self) -> None:
        """Forget what was not handed out: its partitions are taken away, and may come back."""
        self._generation += 1
        self._waiting.clear()
        self._number = 0
        self.committed = None
        self._room.set()

    async def stop(self) -> None:
        """Fetch nothing more."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await self._task

    async def _fetch_for_ever(self) -> None:
        try:
            while True:
                self._room.clear()
                if self._number >= _ENOUGH:
                    await self._room.wait()
                    continue
                fetched = await self._consumer.getmany(timeout_ms=_WAIT_MS)
                generation = self._generation
                if fetched and self.committed is None:
                    committed = await self._offsets.committed(self._group, self._topics.values())
                    if generation == self._generation:
                        self.committed, self._expected = committed, dict(committed)
                if generation == self._generation:
                    self._put(fetched)
        finally:
            self._news.set()

    def _put(self, fetched: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> None:
        for place, records in fetched.items():
            if self._begins_right(place, records[0].offset):
                self._waiting.setdefault(place, deque()).extend(records)
                self._number += len(records)
                self._expected[place] = records[-1].offset + 1
        if self._waiting:
            self._news.set()

    def _begins_right(self, place: TopicPartition, found: int) -> bool:
        """Tell a gap loudly; go back to what was committed where the client begins before it."""
        expected = self._expected.get(place, 0)
        if found < expected <= (self._consumer.highwater(place) or 0):
            self._consumer.seek(place, expected)
            return False
        if found != expected:
            log.error(
                "log.gap",
                group=self._group,
                topic=self._topics[place.topic],
                partition=place.partition,
                expected=expected,
                found=found,
            )
        return True
