"""The end of the feed's log, read once for all streams of a process that stand at one place at one time.

Invariants:
- A stream that has cleared its wake gets no read that began before what it was woken for: at every append the
  reader forgets which reads are under way, before any stream can ask again.
- Memberships and consents are read after everybody who gets them has asked: whoever comes later reads
  anew, and nothing of a read is kept.
- A read belongs to no stream: a stream that is cancelled leaves it to the others, and a read that fails
  fails for all who wait for it.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import msgspec

from services.notifications import queries
from services.notifications.rules.audiences import Parties
from services.notifications.rules.feed import EVERYTHING, FeedEntry, FeedFilter, may_see
from shared.auth.principal import Principal
from shared.db import Database
from shared.events.topics import FEED
from shared.events.transport import event_log
from shared.events.transport.base import Record
from shared.events.wake_signal import WakeSignal

PAGE = 200

_decode = msgspec.json.Decoder(FeedEntry).decode


@dataclass(frozen=True, kw_only=True)
class Placed:
    """An entry at its place in the log, and what decides at this moment who may see it."""

    offset: int
    entry: FeedEntry
    parties: Parties

    @cached_property
    def frame(self) -> bytes:
        """Encode it once, for whoever may see it."""
        return frame(self.entry.type, self.offset, self.entry.shown())


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """Entries in a row: `behind` is the offset behind them, `is_last` says that the log ended there."""

    entries: Sequence[Placed]
    behind: int
    is_last: bool

    def frames(self, reader: Principal, *, wanted: FeedFilter = EVERYTHING) -> list[bytes]:
        """Cut the page to the reader's row scope, and to what it wants of that."""
        return [
            placed.frame
            for placed in self.entries
            if wanted.wants(placed.entry) and may_see(placed.entry, reader, placed.parties)
        ]


class _ReadInvalidator(WakeSignal):
    """What is done at an append: the reads that are under way may not know of it."""

    def __init__(self, joinable: dict[int, asyncio.Task[FeedPage]]) -> None:
        super().__init__()
        self._joinable = joinable

    def set(self) -> None:
        """Let nobody join them any more."""
        self._joinable.clear()


class FeedReader:
    """The reads of one database's feed; `joinable` are those that a stream may still join, by offset."""

    def __init__(self, database: Database) -> None:
        self.streams = 0
        self._database = database
        self._joinable: dict[int, asyncio.Task[FeedPage]] = {}
        self._under_way: set[asyncio.Task[FeedPage]] = set()
        self.appended = _ReadInvalidator(self._joinable)

    async def page(self, position: int) -> FeedPage:
        """Give the page at an offset; raises what its read raises."""
        reading = self._joinable.get(position)
        if reading is None:
            reading = self._joinable[position] = asyncio.create_task(self._read(position))
            self._under_way.add(reading)
            reading.add_done_callback(self._ended)
        # Waiting cancels nothing of it when the stream is cancelled.
        await asyncio.wait((reading,))
        return reading.result()

    async def _read(self, position: int) -> FeedPage:
        try:
            records = await event_log.read(self._database, FEED, offset=position, limit=PAGE)
        finally:
            if self._joinable.get(position) is asyncio.current_task():
                del self._joinable[position]
        return FeedPage(
            entries=await self._placed(records),
            behind=records[-1].offset + 1 if records else position,
            is_last=len(records) < PAGE,
        )

    async def _placed(self, records: Sequence[Record]) -> list[Placed]:
        if not records:
            return []
        entries = [(record.offset, _decode(record.value)) for record in records]
        async with self._database.transaction() as tx:
            teams = await queries.referrals.teams(
                tx, {entry.referral for _, entry in entries if entry.referral}
            )
            consented = await queries.referrals.consented(
                tx, {entry.claim for _, entry in entries if entry.claim}
            )
        return [
            Placed(
                offset=offset,
                entry=entry,
                parties=Parties(
                    team=teams.get(entry.referral or "", frozenset()), consented=entry.claim in consented
                ),
            )
            for offset, entry in entries
        ]

    def _ended(self, reading: asyncio.Task[FeedPage]) -> None:
        self._under_way.discard(reading)
        if not reading.cancelled():
            # Where every stream that waited for it was cancelled, its error is nobody's.
            reading.exception()


_readers: dict[Database, FeedReader] = {}


@contextmanager
def shared_reader(database: Database) -> Iterator[FeedReader]:
    """Give the reader that all streams of this process share, as long as there is one."""
    reader = _readers.get(database)
    if reader is None:
        reader = _readers[database] = FeedReader(database)
        event_log.register(database, (FEED,), reader.appended)
    reader.streams += 1
    try:
        yield reader
    finally:
        reader.streams -= 1
        if not reader.streams:
            event_log.unregister(database, (FEED,), reader.appended)
            del _readers[database]


def frame(event: str, number: int, data: object) -> bytes:
    """Encode one server-sent event."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, event.encode(), msgspec.json.encode(data))
