"""One consumer group's reading of topics on Kafka, as one member of the group.

Invariants:
- An offset is committed only after the transaction of its batch, and only by whoever has the partition.
- Everything that a fetch brought is taken at once and handed out partition by partition: a partition whose
  records wait inside the client would be left out of the next fetch, and its news would come late.
- When partitions are taken away, what was not handed out is dropped, and what was is waited for, for a while.
- The member is static: who comes back with its number within the session gets its partitions back at once.
- Where a partition does not begin at the offset that was committed, records are gone; that is told loudly.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Collection, Mapping, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from shared.events.kafka.commits import Commits
from shared.events.kafka.connection import Connection, within
from shared.events.kafka.offsets import Surveyor
from shared.events.kafka.records import as_record
from shared.events.kafka.topics import LARGEST_BATCH
from shared.events.transport import Batch, Known, Reached
from shared.events.wake import POLL

log = structlog.get_logger("lumbar.transport")

_SESSION_MS = 10_000
_HEARTBEAT_MS = 1_000
# Within the request timeout, which ends a request to join.
_REBALANCE_MS = 4_000
_FETCH_WAIT_MS = 100
_FETCH_BYTES = 16_000_000
_HANDING_BACK = 2.0
_CLEARING = 4.0


class KafkaSubscription(ConsumerRebalanceListener):  # type: ignore[misc]
    """One member of a group; it joins with the first `next_batch`."""

    def __init__(
        self,
        connection: Connection,
        surveyor: Surveyor,
        *,
        group: str,
        topics: Sequence[str],
        replica: int,
    ) -> None:
        self._connection = connection
        self._surveyor = surveyor
        self._group = group
        self._topics = {connection.address.topic(topic): topic for topic in topics}
        self._replica = replica
        self._consumer: AIOKafkaConsumer | None = None
        self._commits: Commits | None = None
        self._opening: asyncio.Task[AIOKafkaConsumer] | None = None
        self._waiting: deque[tuple[TopicPartition, Sequence[ConsumerRecord]]] = deque()
        self._generation = 0
        self._expected: dict[TopicPartition, int] | None = None
        self._in_hand: Batch | None = None
        self._hand_empty = asyncio.Event()

    async def next_batch(self, *, limit: int) -> Batch | None:
        """Give the next records of a partition, or wait a little and give None."""
        if not self._waiting:
            consumer = await self._member()
            if consumer is not None:
                await self._fetch(consumer)
        if not self._waiting:
            return None
        place, records = self._waiting.popleft()
        if len(records) > limit:
            self._waiting.append((place, records[limit:]))
        topic = self._topics[place.topic]
        found = [as_record(record, topic=topic) for record in records[:limit]]
        self._in_hand = Batch(topic=topic, partition=place.partition, records=found)
        self._hand_empty.clear()
        return self._in_hand

    async def commit(self, batch: Batch) -> None:
        """Have the position moved behind the batch, if its partition is still ours."""
        if batch is not self._in_hand or self._commits is None:
            return
        place = TopicPartition(self._connection.address.topic(batch.topic), batch.partition)
        self._commits.note(place, batch.records[-1].offset + 1)
        self._in_hand = None
        self._hand_empty.set()

    async def reached(self, *, known: Known | None = None) -> Mapping[str, Reached]:
        """Tell for each topic how far the group has read it, as committed."""
        return await self._surveyor.reached(group=self._group, topics=list(self._topics.values()))

    async def close(self) -> None:
        """Stop reading; the member keeps its place in the group for as long as a session lasts."""
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await opening
        await self._let_go()

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Drop what was not handed out, and wait for what was."""
        self._generation += 1
        self._waiting.clear()
        self._expected = None
        if self._in_hand is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_HANDING_BACK):
                    await self._hand_empty.wait()
        self._in_hand = None
        if self._commits is not None:
            await self._commits.flush(at_most=_HANDING_BACK)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Say what we read now."""
        log.info("kafka.assigned", group=self._group, count=len(assigned))

    async def _member(self) -> AIOKafkaConsumer | None:
        """Give our membership, or None while it is still on its way."""
        if self._consumer is None:
            if self._opening is None:
                self._opening = asyncio.create_task(self._join())
            opening = self._opening
            await asyncio.wait({opening}, timeout=POLL)
            if opening.done():
                self._opening = None
                self._consumer = opening.result()
                self._commits = Commits(self._consumer)
        return self._consumer

    async def _join(self) -> AIOKafkaConsumer:
        address = self._connection.address
        consumer = AIOKafkaConsumer(
            **await self._connection.options(),
            group_id=address.group(self._group),
            group_instance_id=f"{self._group}-{self._replica}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=_SESSION_MS,
            heartbeat_interval_ms=_HEARTBEAT_MS,
            rebalance_timeout_ms=_REBALANCE_MS,
            fetch_max_wait_ms=_FETCH_WAIT_MS,
            fetch_max_bytes=_FETCH_BYTES,
            max_partition_fetch_bytes=LARGEST_BATCH,
        )
        consumer.subscribe(topics=list(self._topics), listener=self)
        try:
            await consumer.start()
        except BaseException:
            await within(_CLEARING, consumer.stop())
            raise
        return consumer

    async def _fetch(self, consumer: AIOKafkaConsumer) -> None:
        try:
            fetched = await _within_poll(consumer)
            generation = self._generation
            expected = self._expected
            if fetched and expected is None:
                expected = dict(await self._surveyor.committed(self._group))
        except Exception:
            await self._let_go()
            raise
        if fetched and expected is not None and generation == self._generation:
            self._expected = expected
            for place, records in fetched.items():
                if self._begins_right(consumer, place, expected.get(place, 0), records[0].offset):
                    self._waiting.append((place, records))
                    expected[place] = records[-1].offset + 1

    def _begins_right(
        self, consumer: AIOKafkaConsumer, place: TopicPartition, expected: int, found: int
    ) -> bool:
        """Tell a gap loudly; go back to what was committed where the client begins before it."""
        if found < expected <= (consumer.highwater(place) or 0):
            consumer.seek(place, expected)
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

    async def _let_go(self) -> None:
        consumer, self._consumer = self._consumer, None
        commits, self._commits = self._commits, None
        self._waiting.clear()
        self._expected = self._in_hand = None
        if commits is not None:
            await commits.flush(at_most=_HANDING_BACK)
        if consumer is not None and not await within(_CLEARING, consumer.stop()):
            await consumer._client.close()


async def _within_poll(consumer: AIOKafkaConsumer) -> Mapping[TopicPartition, Sequence[ConsumerRecord]]:
    """Take all that was fetched, or wait a little; a rebalance is not waited for longer than that."""
    try:
        async with asyncio.timeout(POLL):
            found: Mapping[TopicPartition, Sequence[ConsumerRecord]]
            found = await consumer.getmany(timeout_ms=int(POLL * 1000))
            return found
    except TimeoutError:
        return {}
