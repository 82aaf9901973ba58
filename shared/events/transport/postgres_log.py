"""The embedded transport: each topic is a log in its publisher's database, read by offset.

Invariants:
- The relay appends in the statement that deletes from the outbox (moving.py): offset, epoch check and delete
  are one.
- A log is one partition, number 0, and its offsets are dense.
- What this process appends comes with the wake-up. A log is asked only where it may have grown besides: when
  another process says so, and at the wide net.
- Two owners of a group may read the same records at once: inbox and position keep the effect single. Where
  several processes could, one of them reads and the others wait for its end.
"""

from collections.abc import Collection, Mapping, Sequence

from shared.clock import monotonic
from shared.db import Database, Transaction
from shared.events.polling_loop import NET, STANDBY
from shared.events.topics import TOPICS, topics_of
from shared.events.transport import event_log
from shared.events.transport.base import Extent, OutboxRow
from shared.events.transport.group_reader import GroupReader
from shared.events.transport.positions import Partition
from shared.events.transport.reader_lock import ReaderLock


class PostgresTransport:
    """Events that never leave PostgreSQL; `databases` maps every publishing service to its database.

    `one_of_several` says that other processes may read as the same groups.
    """

    def __init__(self, databases: Mapping[str, Database], *, one_of_several: bool = False) -> None:
        self._databases = databases
        self._one_of_several = one_of_several

    async def send(self, tx: Transaction, rows: Sequence[OutboxRow]) -> None:
        """Append the rows to their topics' logs, in the relay's transaction."""
        await event_log.append_all(tx, rows)

    def in_place(self, publisher: str) -> frozenset[str]:
        """Name all topics of a service."""
        return topics_of(publisher)

    def subscribe(
        self, database: Database, *, group: str, topics: Sequence[str], merged: bool = False
    ) -> "LogSubscription":
        """Read these topics as this group; raises KeyError for a topic without a publisher's database."""
        sources = {topic: self._databases[TOPICS[topic].publisher] for topic in topics}
        lock = ReaderLock(database, name=group) if self._one_of_several else None
        return LogSubscription(database, group=group, sources=sources, lock=lock, merged=merged)

    async def close(self) -> None:
        """Do nothing: the databases belong to whoever made them."""


class LogSubscription(GroupReader):
    """One group's reading of some logs; with a `lock` only while this process has it."""

    def __init__(
        self,
        database: Database,
        *,
        group: str,
        sources: Mapping[str, Database],
        lock: ReaderLock | None = None,
        merged: bool = False,
    ) -> None:
        super().__init__(database, group=group, topics=list(sources), merged=merged)
        self._sources = sources
        self._lock = lock
        self._asked_at = monotonic()
        self._news = {topic: event_log.NewsOfTopic(self.wake) for topic in sources}
        for topic, source in sources.items():
            event_log.register(source, (topic,), self._news[topic])

    def pause(self) -> float:
        """Return for how many seconds nobody need ask unless woken."""
        return super().pause() if self._lock is None or self._lock.held else STANDBY

    async def close(self) -> None:
        """Stop reading."""
        for topic, source in self._sources.items():
            event_log.unregister(source, (topic,), self._news[topic])
        await super().close()
        if self._lock is not None:
            await self._lock.release()

    def read_again(self) -> None:
        """Read positions and logs again."""
        super().read_again()
        for news in self._news.values():
            news.set()

    async def _may_read(self) -> bool:
        if self._lock is None or self._lock.held:
            return True
        if not await self._lock.acquire():
            return False
        # What whoever read before has written down, and not what this one remembers.
        self.read_again()
        return True

    def _assigned(self) -> Collection[Partition]:
        return [(topic, 0) for topic in self._sources]

    async def _starts(self, missing: Collection[Partition]) -> Mapping[Partition, int]:
        return {place: (await event_log.extent(self._sources[place[0]], place[0])).first for place in missing}

    async def _begin(self) -> None:
        """Begin at the positions, and at the beginning of a log that is shorter than its position says."""
        await super()._begin()
        for topic, source in self._sources.items():
            extent = await event_log.extent(source, topic)
            if extent.end < (expected := self._fetched[topic, 0]):
                self._log_gap((topic, 0), expected=expected, found=extent.first)
                self._fetched[topic, 0] = extent.first

    async def _fetch(self, *, limit: int) -> None:
        if monotonic() > self._asked_at + NET:
            self._asked_at = monotonic()
            for news in self._news.values():
                news.may_have_grown = True
        for topic, news in self._news.items():
            offset = self._fetched[topic, 0]
            records = news.take(offset=offset)
            if not records and news.may_have_grown and not self._ahead.has(topic):
                news.may_have_grown = False
                records = await event_log.read(self._sources[topic], topic, offset=offset, limit=limit)
                news.may_have_grown |= len(records) == limit
            if records:
                self._took(records)

    async def _extents(self, read: Mapping[Partition, int]) -> Mapping[Partition, Extent]:
        return {(topic, 0): await event_log.extent(source, topic) for topic, source in self._sources.items()}
