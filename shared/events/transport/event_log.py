"""The event log in PostgreSQL: a topic's records with dense offsets, in its publisher's own database.

Invariants:
- Offsets of a topic are dense from 0 and become visible in order: whoever appends holds the lock of the
  topic's `event_log_end` until its transaction ends, so a reader may page by offset and misses nothing.
- Append, offset and whatever else the appending transaction does happen together or not at all.
- Trimming takes only from the front; `first_offset` says where the log begins now.
"""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from weakref import WeakKeyDictionary

import msgspec

from shared.clock import machine_now
from shared.db import Database, Transaction
from shared.events.transport.base import Extent, OutboxRow, Record
from shared.events.wake_signal import WakeSignal

_encode = msgspec.json.Encoder().encode
decode_headers = msgspec.json.Decoder(dict[str, str]).decode
_MOST_BROUGHT = 1000
_watchers: WeakKeyDictionary[Database, dict[str, set[WakeSignal]]] = WeakKeyDictionary()


async def append(tx: Transaction, topic: str, rows: Sequence[OutboxRow]) -> int:
    """Append records to a topic of this database, in order, and return the offset of the first."""
    end = await tx.value(
        "INSERT INTO event_log_end AS log (topic, next_offset) VALUES ($1, $2)"
        " ON CONFLICT (topic) DO UPDATE SET next_offset = log.next_offset + $2 RETURNING next_offset",
        topic,
        len(rows),
    )
    begin = int(end) - len(rows)
    await tx.records(
        "INSERT INTO event_log (topic, log_offset, key, headers, value, machine_at)"
        " SELECT $1, $2 + row.place - 1, row.key, row.headers::jsonb, row.value, $3"
        " FROM unnest($4::text[], $5::text[], $6::bytea[])"
        " WITH ORDINALITY AS row (key, headers, value, place)",
        topic,
        begin,
        machine_now(),
        [row.key for row in rows],
        [_encode(dict(row.headers)).decode() for row in rows],
        [row.value for row in rows],
    )
    database = tx.database
    tx.after_commit(f"wake readers of {topic}", lambda: appended(database, topic))
    return begin


async def append_all(tx: Transaction, rows: Sequence[OutboxRow]) -> None:
    """Append records of several topics; the topics in order of name, so that two writers cannot deadlock."""
    by_topic = sorted(rows, key=lambda row: row.topic)
    for topic, group in itertools.groupby(by_topic, key=lambda row: row.topic):
        await append(tx, topic, list(group))


async def read(database: Database, topic: str, *, offset: int, limit: int) -> list[Record]:
    """Read records from an offset on; fewer than `limit` where the log ends."""
    rows = await database.fetch(
        "SELECT log_offset, key, headers::text AS headers, value FROM event_log"
        " WHERE topic = $1 AND log_offset >= $2 ORDER BY log_offset LIMIT $3",
        topic,
        offset,
        limit,
    )
    return [
        Record(
            topic=topic,
            partition=0,
            offset=row["log_offset"],
            key=row["key"],
            headers=decode_headers(row["headers"]),
            value=row["value"],
        )
        for row in rows
    ]


async def about_referral(
    database: Database, topics: Collection[str], referral_id: str, *, limit: int
) -> list[tuple[str, int, Mapping[str, str]]]:
    """Return topic, offset and headers of the kept records about a referral, the oldest first.

    It reads the whole log, for an operator who asks now and then; no index is kept up for that.
    """
    rows = await database.fetch(
        "SELECT topic, log_offset, headers::text AS headers FROM event_log WHERE topic = ANY($1::text[])"
        " AND (headers ->> 'ce_referralid' = $2 OR headers ->> 'ce_subject' = $3)"
        " ORDER BY topic, log_offset LIMIT $4",
        list(topics),
        referral_id,
        f"ServiceRequest/{referral_id}",
        limit,
    )
    return [(row["topic"], row["log_offset"], decode_headers(row["headers"])) for row in rows]


async def extent(database: Database, topic: str) -> Extent:
    """Return where a topic's log begins and ends."""
    rows = await database.fetch("SELECT first_offset, next_offset FROM event_log_end WHERE topic = $1", topic)
    return Extent(first=rows[0][0], end=rows[0][1]) if rows else Extent(first=0, end=0)


async def trim(tx: Transaction, topic: str, *, before: datetime) -> int:
    """Remove from the front what was appended before a machine time; return how many records went."""
    kept = await tx.value(
        "UPDATE event_log_end SET first_offset = greatest(first_offset, coalesce("
        "(SELECT min(log_offset) FROM event_log WHERE topic = $1 AND machine_at >= $2), next_offset))"
        " WHERE topic = $1 RETURNING first_offset",
        topic,
        before,
    )
    gone = "DELETE FROM event_log WHERE topic = $1 AND log_offset < $2 RETURNING 1"
    return 0 if kept is None else len(await tx.records(gone, topic, kept))


@contextmanager
def watch(database: Database, *topics: str) -> Iterator[WakeSignal]:
    """Return a flag that is set whenever this process appends to one of these topics of this database."""
    wake = WakeSignal()
    register(database, topics, wake)
    try:
        yield wake
    finally:
        unregister(database, topics, wake)


def register(database: Database, topics: Sequence[str], wake: WakeSignal) -> None:
    """Set this signal at every append to these topics, until `unregister`."""
    for topic in topics:
        _watchers.setdefault(database, {}).setdefault(topic, set()).add(wake)


def unregister(database: Database, topics: Sequence[str], wake: WakeSignal) -> None:
    """Undo `register`."""
    for topic in topics:
        _watchers.get(database, {}).get(topic, set()).discard(wake)


def read_here(database: Database) -> list[str]:
    """Name the topics of a database whose readers in this process take the records with the wake-up."""
    watchers = _watchers.get(database, {})
    return [
        topic for topic, signals in watchers.items() if any(isinstance(one, NewsOfTopic) for one in signals)
    ]


def wake_readers(database: Database, topic: str, *, records: Sequence[Record] = ()) -> None:
    """Wake whoever reads this topic of this database in this process, with what was appended."""
    for wake in tuple(_watchers.get(database, {}).get(topic, ())):
        if isinstance(wake, NewsOfTopic):
            wake.receive(records)
        else:
            wake.set()


def wake_all_readers(database: Database) -> None:
    """Wake whoever reads any topic of this database in this process."""
    for topic in tuple(_watchers.get(database, {})):
        wake_readers(database, topic)


def appended(database: Database, topic: str, *, records: Sequence[Record] = ()) -> None:
    """Wake the readers of this topic, in this process with the records and in others without."""
    wake_readers(database, topic, records=records)
    database.tell_readers(topic)


class NewsOfTopic(WakeSignal):
    """What one reader knows of a topic's growth: the records that followed, or only that there may be some.

    It sets the signal of the reader, who waits for several topics at once.
    """

    def __init__(self, reader: WakeSignal) -> None:
        super().__init__()
        self.may_have_grown = True
        self._records: list[Record] = []
        self._reader = reader

    def set(self) -> None:
        """Note that the topic has grown by records that nobody has brought."""
        self.may_have_grown = True
        self._records = []
        self._reader.set()

    def receive(self, records: Sequence[Record]) -> None:
        """Take over records that were appended; without any, or with many waiting, only note the growth."""
        follows = not self._records or (records[:1] and records[0].offset == self._records[-1].offset + 1)
        if self.may_have_grown or not records or not follows or len(self._records) > _MOST_BROUGHT:
            self.set()
            return
        self._records += records
        self._reader.set()

    def take(self, *, offset: int) -> list[Record]:
        """Return the records that were brought from this offset on; note where some lack before them."""
        records = [record for record in self._records if record.offset >= offset]
        self._records = []
        if records and records[0].offset != offset:
            self.may_have_grown = True
            return []
        return records
