"""The embedded transport: each topic is a log in its publisher's database, read by offset.

Invariants:
- The relay appends in the statement that deletes from the outbox (moving.py): offset, epoch check and delete
  are one.
- A group keeps its position in the consumer's database, moves it with the effects of the batch where one
  transaction holds them all (inbox.py), and only from where it read, so that a
  position that somebody set back to read again, or another owner moved on, is never written over.
- Of several topics with news the one whose next record is oldest is read: who falls behind hears of things in
  about the order in which they happened, and little comes too early.
- Two owners of a group may read the same records at once: the inbox keeps the effect single. Where several
  processes could, one of them reads and the others wait for its end.
"""

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from shared.db import Database, Transaction
from shared.events.polling_loop import POLL, WakeSignal
from shared.events.topics import TOPICS, topics_of
from shared.events.transport import event_log
from shared.events.transport.base import Batch, OutboxRow, Record, Step, TopicProgress
from shared.events.transport.reader_lock import ReaderLock
from shared.ids import made_at

log = structlog.get_logger("lumbar.transport")

_BEHIND_EVERY_ID = "~"


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

    def subscribe(self, database: Database, *, group: str, topics: Sequence[str]) -> "LogSubscription":
        """Read these topics as this group; raises KeyError for a topic without a publisher's database."""
        sources = {topic: self._databases[TOPICS[topic].publisher] for topic in topics}
        reader = ReaderLock(database, group=group) if self._one_of_several else None
        return LogSubscription(database, group=group, sources=sources, reader=reader)

    async def close(self) -> None:
        """Nothing to let go of: the databases belong to whoever made them."""


class _TopicSignal(WakeSignal):
    """Whether a topic may have something new; whoever reads several waits for all of them at once."""

    def __init__(self, reader: WakeSignal) -> None:
        super().__init__()
        self.possible = True
        self._reader = reader

    def set(self) -> None:
        """Say that the topic has grown."""
        self.possible = True
        self._reader.set()


class LogSubscription:
    """One group's reading of some logs; a topic without news is asked only at every poll.

    With a `reader` it reads only while that is the group's one.
    """

    def __init__(
        self,
        database: Database,
        *,
        group: str,
        sources: Mapping[str, Database],
        reader: ReaderLock | None = None,
    ) -> None:
        self._database = database
        self._group = group
        self._sources = sources
        self._reader = reader
        self._positions: dict[str, int] | None = None
        self._oldest: dict[str, str] = {}
        self._wake = WakeSignal()
        self._news = {topic: _TopicSignal(self._wake) for topic in sources}
        for topic, source in sources.items():
            event_log.register(source, (topic,), self._news[topic])

    async def next_batch(self, *, limit: int) -> Batch | None:
        """Give the next records of the topic whose turn it is, or wait a little and give None."""
        if self._reader is not None and not self._reader.held:
            self._look_again()
            if not await self._reader.acquire():
                await asyncio.sleep(POLL)
                return None
        self._wake.clear()
        if self._positions is None:
            self._positions = await self._committed()
        for topic in await self._by_age():
            records = await self._new_records(topic, limit=limit)
            if records:
                self._tell_gap(topic, expected=self._positions[topic], found=records[0].offset)
                return Batch(topic=topic, records=records)
        if not await self._wake.wait(at_most=POLL):
            self._look_again()
        return None

    async def _by_age(self) -> list[str]:
        """Name the topics that may have news, the one with the oldest next record first."""
        possible = [topic for topic, news in self._news.items() if news.possible]
        if len(possible) > 1:
            for topic in possible:
                if topic not in self._oldest and (first := await self._new_records(topic, limit=1)):
                    self._oldest[topic] = _age(first[0])
            possible.sort(key=lambda topic: self._oldest.get(topic, _BEHIND_EVERY_ID))
        return possible

    async def _new_records(self, topic: str, *, limit: int) -> list[Record]:
        news = self._news[topic]
        if not news.possible or self._positions is None:
            return []
        news.possible = False
        self._oldest.pop(topic, None)
        records = await event_log.read(
            self._sources[topic], topic, offset=self._positions[topic], limit=limit
        )
        news.possible |= len(records) == limit
        return records

    def _look_again(self) -> None:
        """Believe nothing: positions may have been set back, and topics may have grown unheard."""
        self._positions = None
        self._oldest.clear()
        for news in self._news.values():
            news.possible = True

    def step_behind(self, batch: Batch) -> Step | None:
        """Tell the step that handling a batch is, None while nobody knows where the group stands."""
        if self._positions is None:
            return None
        read_from, behind = self._positions[batch.topic], batch.records[-1].offset + 1
        return Step(topic=batch.topic, read_from=read_from, behind=behind)

    def stepped(self, step: Step) -> None:
        """Go on behind a step that is committed."""
        if self._positions is not None:
            self._positions[step.topic] = step.behind

    async def commit(self, batch: Batch) -> None:
        """Move the position behind the batch, if it still is where the batch was read from."""
        if (step := self.step_behind(batch)) is None:
            return
        moved = await self._database.fetch(
            "INSERT INTO consumer_position AS p (consumer_group, topic, next_offset) VALUES ($1, $2, $3)"
            " ON CONFLICT (consumer_group, topic) DO UPDATE SET next_offset = excluded.next_offset"
            " WHERE p.next_offset = $4 RETURNING next_offset",
            self._group,
            step.topic,
            step.behind,
            step.read_from,
        )
        if moved:
            self.stepped(step)
        else:
            self._look_again()

    async def progress(self) -> Mapping[str, TopicProgress]:
        """Tell for each topic how far the group has read it, as committed."""
        positions = await self._committed()
        found = {}
        for topic, source in self._sources.items():
            extent = await event_log.extent(source, topic)
            position = max(positions.get(topic, 0), extent.first)
            found[topic] = TopicProgress(position=position, end=extent.end, lag=max(0, extent.end - position))
        return found

    async def close(self) -> None:
        """Stop reading; what was not committed will be read again."""
        for topic, source in self._sources.items():
            event_log.unregister(source, (topic,), self._news[topic])
        if self._reader is not None:
            await self._reader.release()

    async def _committed(self) -> dict[str, int]:
        rows = await self._database.fetch(
            "SELECT topic, next_offset FROM consumer_position WHERE consumer_group = $1",
            self._group,
        )
        return dict.fromkeys(self._sources, 0) | {
            row["topic"]: row["next_offset"] for row in rows if row["topic"] in self._sources
        }

    def _tell_gap(self, topic: str, *, expected: int, found: int) -> None:
        if found > expected:
            log.error(
                "log.gap",
                group=self._group,
                topic=topic,
                expected=expected,
                found=found,
                runbook="ConsumerLagGrowing",
            )


def _age(record: Record) -> str:
    """Give what sorts records by when their events were made: their ids; what has none of ours is first."""
    event_id = record.headers.get("ce_id", "")
    return "" if made_at(event_id) is None else event_id


async def read_again(database: Database, *, group: str, topic: str, offset: int) -> bool:
    """Set a group's position in its own database back to an offset; tell whether it lay beyond it.

    What the group has handled stays handled, because the inbox knows it: only what it misses has an effect.
    """
    moved = await database.fetch(
        "UPDATE consumer_position SET next_offset = $3"
        " WHERE consumer_group = $1 AND topic = $2 AND next_offset > $3 RETURNING next_offset",
        group,
        topic,
        offset,
    )
    return bool(moved)
