"""One group's reading in this process, the same on every transport: what is fetched, returned and passed.

Invariants:
- Reading begins at the group's position, and a batch moves it from there (positions.py).
- What is passed without an effect moves the position in memory. It is written down with the next batch that
  has an effect, after a second, or at the end: events that a group does not handle cost it no transaction.
- Every few seconds, and where a move failed, the positions are read again: what an operator or another owner
  has moved is then where reading goes on.
- Where a partition begins behind the position, records are gone; that is logged and counted, and reading goes
  on at what is there.
"""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence

import asyncpg
import structlog

from shared.clock import monotonic
from shared.db import Database
from shared.events import counters
from shared.events.polling_loop import NET
from shared.events.transport import positions
from shared.events.transport.base import Batch, Extent, PositionMove, Record, TopicProgress
from shared.events.transport.positions import Partition, PositionMoved
from shared.events.transport.read_ahead import ReadAhead
from shared.events.wake_signal import WakeSignal

_WRITE_DOWN_AFTER = 1.0

log = structlog.get_logger("lumbar.transport")


class GroupReader(ABC):
    """What every subscription does; how records are fetched is the transport's."""

    def __init__(
        self, database: Database, *, group: str, topics: Collection[str], merged: bool = False
    ) -> None:
        self.wake = WakeSignal()
        self._database = database
        self._group = group
        self._topics = topics
        self._ahead = ReadAhead(merged=merged)
        self._written: dict[Partition, int] = {}
        self._read: dict[Partition, int] = {}
        self._fetched: dict[Partition, int] = {}
        self._knows_position = False
        self._looked_at = self._wrote_at = 0.0
        for topic in topics:
            counters.GAPS.labels(group, topic)

    async def next_batch(self, *, limit: int) -> Batch | None:
        """Return the next records, None where there are none."""
        self.wake.clear()
        if not await self._may_read():
            return None
        if self._knows_position and monotonic() > self._looked_at + NET:
            await self._look()
        if self._unwritten() and monotonic() > self._wrote_at + _WRITE_DOWN_AFTER:
            await self.write_down()
        if not self._knows_position:
            await self._begin()
        await self._fetch(limit=limit)
        records = self._ahead.take(limit=limit)
        return Batch(records=records, moves=self._moves(records)) if records else None

    def moved(self, batch: Batch) -> None:
        """Go on behind this batch, whose moves are committed."""
        self.passed(batch)
        self._written |= {(move.topic, move.partition): move.behind for move in batch.moves}
        self._wrote_at = monotonic()

    def passed(self, batch: Batch) -> None:
        """Go on behind this batch, of which nothing concerns the group."""
        self._read |= {(move.topic, move.partition): move.behind for move in batch.moves}

    def read_again(self) -> None:
        """Read the position again before the next batch, and fetch from there."""
        self._knows_position = False
        self._ahead.clear()

    def pause(self) -> float:
        """Return for how many seconds nobody need ask unless woken."""
        return _WRITE_DOWN_AFTER if self._unwritten() else NET

    async def write_down(self) -> None:
        """Move the position in the database behind what was passed without an effect."""
        if not (moves := self._unwritten()):
            return
        try:
            async with self._database.transaction() as tx:
                await positions.move(tx, group=self._group, moves=moves)
        except PositionMoved:
            self.read_again()
        self._written |= {(move.topic, move.partition): move.behind for move in moves}
        self._wrote_at = monotonic()

    async def progress(self) -> Mapping[str, TopicProgress]:
        """Return for each topic how far the group has read it, all partitions together."""
        written = await positions.read(self._database, group=self._group)
        read = written | (self._read if self._knows_position else {})
        extents = await self._extents(read)
        found = {}
        for topic in self._topics:
            ends = {place: extent for place, extent in extents.items() if place[0] == topic}
            begun = {place: max(read.get(place, 0), extent.first) for place, extent in ends.items()}
            found[topic] = TopicProgress(
                position=sum(begun.values()),
                end=sum(extent.end for extent in ends.values()),
                lag=sum(max(0, extent.end - begun[place]) for place, extent in ends.items()),
            )
        return found

    async def close(self) -> None:
        """Write down what was passed; a database that is away knows it later."""
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await self.write_down()

    @abstractmethod
    async def _may_read(self) -> bool:
        """Return whether this process reads as the group now; waits a little where that is on its way."""

    @abstractmethod
    async def _starts(self, missing: Collection[Partition]) -> Mapping[Partition, int]:
        """Return where partitions begin that have no position."""

    @abstractmethod
    def _assigned(self) -> Collection[Partition]:
        """Return the partitions that this process reads."""

    @abstractmethod
    async def _fetch(self, *, limit: int) -> None:
        """Put into `_ahead` what has come, by `_took`."""

    @abstractmethod
    async def _extents(self, read: Mapping[Partition, int]) -> Mapping[Partition, Extent]:
        """Return where each partition's log begins (0 where a position makes that no matter) and ends."""

    async def _begin(self) -> None:
        assigned = self._assigned()
        found = await positions.read(self._database, group=self._group)
        if missing := [place for place in assigned if place not in found]:
            starts = await self._starts(missing)
            found = await positions.begin(self._database, group=self._group, starts=starts)
        self._written = {place: found[place] for place in assigned}
        self._read, self._fetched = dict(self._written), dict(self._written)
        self._ahead.clear()
        self._knows_position, self._looked_at = True, monotonic()

    async def _look(self) -> None:
        """Look whether the positions still are where this process moved them."""
        found = await positions.read(self._database, group=self._group)
        self._looked_at = monotonic()
        if any(found.get(place) != written for place, written in self._written.items()):
            self.read_again()

    def _took(self, records: Sequence[Record]) -> None:
        """Take over records of one partition that were fetched from where the last ones ended."""
        place = records[0].topic, records[0].partition
        expected, found = self._fetched[place], records[0].offset
        if found != expected:
            self._log_gap(place, expected=expected, found=found)
        self._fetched[place] = records[-1].offset + 1
        self._ahead.add(records)

    def _log_gap(self, place: Partition, *, expected: int, found: int) -> None:
        counters.GAPS.labels(self._group, place[0]).inc()
        log.error(
            "log.gap",
            group=self._group,
            topic=place[0],
            partition=place[1],
            expected=expected,
            found=found,
            runbook="RecordsGone",
        )

    def _moves(self, records: Sequence[Record]) -> list[PositionMove]:
        behind = {(record.topic, record.partition): record.offset + 1 for record in records}
        return [self._move(place, offset) for place, offset in behind.items()]

    def _unwritten(self) -> list[PositionMove]:
        return [self._move(place, read) for place, read in self._read.items() if read != self._written[place]]

    def _move(self, place: Partition, behind: int) -> PositionMove:
        return PositionMove(topic=place[0], partition=place[1], read_from=self._written[place], behind=behind)
