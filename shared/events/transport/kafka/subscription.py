"""One consumer group's reading of topics on Kafka, as one member of the group.

Invariants:
- An offset is committed only after the transaction of its batch, and only by whoever has the partition.
- When partitions are taken away, what was not handed out is dropped, and what was is waited for, for a while.
- The member is static: who comes back with its number within the session gets its partitions back at once.
- Of two processes with one number the later one reads; the other says so and tries again after a while.
"""

import asyncio
import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from shared.clock import monotonic
from shared.events.polling_loop import POLL
from shared.events.topics import TOPICS
from shared.events.transport.base import Batch, TopicProgress
from shared.events.transport.kafka.commits import Commits
from shared.events.transport.kafka.connection import Connection, within
from shared.events.transport.kafka.fetching import Fetching
from shared.events.transport.kafka.offsets import OffsetReader
from shared.events.transport.kafka.records import as_record
from shared.events.transport.kafka.taken import PlaceTaken, tell_taken_place
from shared.events.transport.kafka.topics import LARGEST_BATCH

log = structlog.get_logger("lumbar.transport")

_SESSION_MS = 10_000
_HEARTBEAT_MS = 1_000
# Within the request timeout, which ends a request to join.
_REBALANCE_MS = 4_000
_FETCH_WAIT_MS = 250
_FETCH_BYTES = 16_000_000
_HANDING_BACK = 2.0
_CLEARING = 4.0
_RESTS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Our membership while it lasts."""

    consumer: AIOKafkaConsumer
    commits: Commits
    fetching: Fetching


class KafkaSubscription(ConsumerRebalanceListener):  # type: ignore[misc]
    """One member of a group; it joins with the first `next_batch`."""

    def __init__(
        self,
        connection: Connection,
        offsets: OffsetReader,
        *,
        group: str,
        topics: Sequence[str],
        replica: int,
    ) -> None:
        self._connection = connection
        self._offsets = offsets
        self._group = group
        self._topics = {connection.address.topic(topic): topic for topic in topics}
        self._replica = replica
        self._opening: asyncio.Task[AIOKafkaConsumer] | None = None
        self._member: Member | None = None
        self._in_hand: Batch | None = None
        self._hand_empty = asyncio.Event()
        self._rests_until = 0.0

    async def next_batch(self, *, limit: int) -> Batch | None:
        """Give the next records of a topic, from all its partitions that are ours, or wait a little and give
        None.
        """
        member = await self._membership()
        if member is None:
            return None
        try:
            found = await member.fetching.take(limit=limit, at_most=POLL)
        except PlaceTaken:
            await self._rest()
            return None
        except Exception:
            await self._let_go()
            raise
        if not found:
            return None
        topic = self._topics[found[0].topic]
        self._in_hand = Batch(topic=topic, records=[as_record(record, topic=topic) for record in found])
        self._hand_empty.clear()
        return self._in_hand

    async def commit(self, batch: Batch) -> None:
        """Have the position moved behind the batch, if its partitions are still ours."""
        if batch is not self._in_hand or self._member is None:
            return
        topic = self._connection.address.topic(batch.topic)
        newest = {record.partition: record.offset for record in batch.records}
        self._member.commits.note(
            {TopicPartition(topic, partition): offset + 1 for partition, offset in newest.items()}
        )
        self._in_hand = None
        self._hand_empty.set()

    async def progress(self) -> Mapping[str, TopicProgress]:
        """Tell for each topic how far the group has read it, as committed."""
        return await self._offsets.progress(
            group=self._group, topics=list(self._topics.values()), committed=self._committed()
        )

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
        member = self._member
        if member is None:
            return
        member.fetching.drop()
        if self._in_hand is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_HANDING_BACK):
                    await self._hand_empty.wait()
        self._in_hand = None
        await member.commits.flush(at_most=_HANDING_BACK)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Say what we read now."""
        log.info("kafka.assigned", group=self._group, count=len(assigned))

    def _committed(self) -> Mapping[TopicPartition, int] | None:
        """Tell what is committed where nobody else can commit, because every partition is ours."""
        member = self._member
        if member is None or member.fetching.committed is None:
            return None
        places = sum(TOPICS[topic].partitions for topic in self._topics.values())
        if len(member.consumer.assignment()) < places:
            return None
        return {**member.fetching.committed, **member.commits.done}

    async def _membership(self) -> "Member | None":
        """Give our membership, or None while it is still on its way."""
        if monotonic() < self._rests_until:
            await asyncio.sleep(POLL)
            return None
        if self._member is None:
            if self._opening is None:
                self._opening = asyncio.create_task(self._join())
            opening = self._opening
            await asyncio.wait({opening}, timeout=POLL)
            if opening.done():
                self._opening = None
                consumer = opening.result()
                fetching = Fetching(consumer, self._offsets, group=self._group, topics=self._topics)
                self._member = Member(consumer=consumer, commits=Commits(consumer), fetching=fetching)
        return self._member

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
        tell_taken_place(consumer, session=_SESSION_MS / 1000)
        return consumer

    async def _rest(self) -> None:
        """Leave the place to whoever has our number, and say which setting is wrong."""
        log.warning(
            "kafka.replica-twice",
            group=self._group,
            ref=f"LUMBAR_REPLICA:{self._replica}",
            seconds=_RESTS,
            runbook="ProcessDown",
        )
        await self._let_go()
        self._rests_until = monotonic() + _RESTS

    async def _let_go(self) -> None:
        member, self._member = self._member, None
        self._in_hand = None
        if member is None:
            return
        await member.fetching.stop()
        await member.commits.flush(at_most=_HANDING_BACK)
        if not await within(_CLEARING, member.consumer.stop()):
            await member.consumer._client.close()
