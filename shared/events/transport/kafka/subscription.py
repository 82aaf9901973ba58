"""One consumer group's reading of topics on Kafka, as one member of the group.

Invariants:
- The group only assigns partitions. Where reading begins is the position in the consumer's own database: a
  newly assigned partition is sought there before anything of it is returned.
- Offsets are committed to the broker now and then, for tools that show a group's lag and for a group's first
  start under this code. Nothing is ever read from there that has a position of ours.
- A rebalance throws away what was fetched and not returned. A batch in hand goes on: if somebody else moves
  its position first, it is rolled back (positions.py).
- The member is static: who comes back with its number within the session gets its partitions back at once.
  Of two processes with one number only the holder of the number's lock joins; the other waits and says so.
"""

import asyncio
import contextlib
from collections.abc import Collection, Mapping, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError

from shared.clock import monotonic
from shared.db import Database
from shared.events.polling_loop import STANDBY
from shared.events.transport.base import Extent, Record
from shared.events.transport.group_reader import GroupReader
from shared.events.transport.kafka import records
from shared.events.transport.kafka.connection import Connection, finish_within
from shared.events.transport.kafka.offsets import OffsetReader
from shared.events.transport.kafka.topics import LARGEST_BATCH
from shared.events.transport.positions import Partition
from shared.events.transport.reader_lock import ReaderLock
from shared.telemetry.log_throttle import LogThrottle

log = structlog.get_logger("lumbar.transport")

_SESSION_MS = 10_000
_HEARTBEAT_MS = 1_000
# Within the request timeout, which ends a request to join.
_REBALANCE_MS = 4_000
_FETCH_WAIT_MS = 250
_FETCH_BYTES = 16_000_000
_ENOUGH = 2_000
_COMMIT_EVERY = 5.0
_ANSWERS_WITHIN = 10.0
_CLEARING = 4.0

_throttle = LogThrottle(every=30)

Fetched = Mapping[TopicPartition, Sequence[Record]]


class KafkaSubscription(GroupReader, ConsumerRebalanceListener):  # type: ignore[misc]
    """One member of a group; it joins with the first `next_batch`."""

    def __init__(
        self,
        connection: Connection,
        offsets: OffsetReader,
        database: Database,
        *,
        group: str,
        topics: Sequence[str],
        replica: int,
        merged: bool = False,
    ) -> None:
        super().__init__(database, group=group, topics=topics, merged=merged)
        self._connection = connection
        self._offsets = offsets
        self._names = {connection.address.topic(topic): topic for topic in topics}
        self._replica = replica
        self._number = ReaderLock(database, name=f"{group} as replica {replica}")
        self._joining: asyncio.Task[AIOKafkaConsumer] | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self._rebalancing = True
        self._fetching: asyncio.Task[Fetched] | None = None
        self._committing: asyncio.Task[None] | None = None
        self._committed_at = monotonic()

    def pause(self) -> float:
        """Return 0: the broker answers when there is news, and `next_batch` waits for it."""
        return 0

    def read_again(self) -> None:
        """Read the positions again and seek there; what is being fetched is forgotten."""
        super().read_again()
        fetching, self._fetching = self._fetching, None
        if fetching is not None and not fetching.cancel() and not fetching.cancelled():
            fetching.exception()

    async def close(self) -> None:
        """Stop reading; the member keeps its place in the group for as long as a session lasts."""
        joining, self._joining = self._joining, None
        if joining is not None:
            joining.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await joining
        await super().close()
        if self._consumer is not None and self._knows_position:
            await self._commit()
        await self._leave()
        await self._number.release()

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Forget what was fetched: its partitions may be somebody else's."""
        self._rebalancing = True
        self.read_again()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Begin at the positions of the partitions that are ours now."""
        self._rebalancing = False
        self.read_again()
        log.info("kafka.assigned", group=self._group, count=len(assigned))

    async def _may_read(self) -> bool:
        if not await self._number.acquire():
            await self._leave()
            self._warn_of_twin()
            await asyncio.sleep(STANDBY)
            return False
        if self._consumer is None:
            joining = self._joining = self._joining or asyncio.create_task(self._join())
            await asyncio.wait({joining}, timeout=STANDBY)
            if joining.done():
                self._joining = None
                self._consumer = joining.result()
        return self._consumer is not None

    def _warn_of_twin(self) -> None:
        if _throttle.allow(f"{self._group} {self._replica}") is not None:
            ref = f"LUMBAR_REPLICA:{self._replica}"
            log.warning("kafka.replica-twice", group=self._group, ref=ref, runbook="ProcessDown")

    async def _join(self) -> AIOKafkaConsumer:
        self._rebalancing = True
        consumer = AIOKafkaConsumer(
            **await self._connection.options(),
            group_id=self._connection.address.group(self._group),
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
        consumer.subscribe(topics=list(self._names), listener=self)
        try:
            await consumer.start()
        except BaseException:
            await finish_within(_CLEARING, consumer.stop())
            raise
        return consumer

    async def _leave(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is None:
            return
        self.read_again()
        if self._committing is not None:
            self._committing.cancel()
        await finish_within(_CLEARING, consumer.stop())

    def _assigned(self) -> Collection[Partition]:
        assigned = self._consumer.assignment() if self._consumer is not None else ()
        return [(self._names[place.topic], place.partition) for place in assigned]

    async def _starts(self, missing: Collection[Partition]) -> Mapping[Partition, int]:
        """Begin at the offset that the group has committed, else at the log's beginning."""
        consumer = self._consumer
        assert consumer is not None
        async with asyncio.timeout(_ANSWERS_WITHIN):
            first = await consumer.beginning_offsets([self._place(partition) for partition in missing])
            starts = {}
            for partition in missing:
                committed = await consumer.committed(self._place(partition))
                starts[partition] = first[self._place(partition)] if committed is None else committed
        return starts

    async def _begin(self) -> None:
        if self._rebalancing:
            return
        await super()._begin()
        # No await lies between here and the last look at what is ours.
        if self._rebalancing or self._consumer is None or set(self._written) != set(self._assigned()):
            self.read_again()
            return
        for partition, offset in self._written.items():
            self._consumer.seek(self._place(partition), offset)

    async def _fetch(self, *, limit: int) -> None:
        if self._ahead.records >= _ENOUGH or self._consumer is None:
            return
        fetching = self._fetching = self._fetching or asyncio.create_task(self._get())
        await asyncio.wait({fetching}, timeout=0 if self._ahead.records else STANDBY)
        if not fetching.done() or fetching is not self._fetching:
            return
        self._fetching = None
        try:
            fetched = fetching.result()
        except Exception:
            await self._leave()
            raise
        if self._knows_position and not self._rebalancing:
            for found in fetched.values():
                self._took(found)
            self._commit_for_tools()

    async def _get(self) -> Fetched:
        assert self._consumer is not None
        try:
            fetched = await self._consumer.getmany(timeout_ms=_FETCH_WAIT_MS)
        except UnicodeDecodeError:
            starts = {self._place(partition): offset for partition, offset in self._fetched.items()}
            return await records.one_by_one(self._consumer, starts, names=self._names)
        return {
            place: [records.as_record(record, topic=self._names[place.topic]) for record in found]
            for place, found in fetched.items()
        }

    def _commit_for_tools(self) -> None:
        if monotonic() > self._committed_at + _COMMIT_EVERY and self._committing is None:
            self._committed_at = monotonic()
            self._committing = asyncio.create_task(self._commit())

    async def _commit(self) -> None:
        assert self._consumer is not None
        offsets = {self._place(partition): offset for partition, offset in self._read.items()}
        try:
            async with asyncio.timeout(_CLEARING):
                await self._consumer.commit(offsets)
        except (KafkaError, IllegalStateError, TimeoutError) as error:
            log.info("kafka.commit-failed", group=self._group, error=type(error).__name__)
        finally:
            self._committing = None

    async def _extents(self, read: Mapping[Partition, int]) -> Mapping[Partition, Extent]:
        return await self._offsets.extents(self._topics, read=read)

    def _place(self, partition: Partition) -> TopicPartition:
        return TopicPartition(self._connection.address.topic(partition[0]), partition[1])
