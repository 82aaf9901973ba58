"""What carries events from an outbox to the consumers: the embedded log or Kafka, behind one contract.

Invariants that every transport keeps (tests/contract/ runs one suite over all of them):
- `send` returns only when every record is durable where consumers read; the relay deletes only after that.
  What is `in_place` is never sent: one statement of the relay deletes and appends it (moving.py).
- Records of one key arrive in the order in which they were sent; a record may arrive more than once.
- A group's position lies in the consumer's own database and moves with the effects of what it passes
  (positions.py). A subscription returns nothing again that lies before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from shared.db import Database, Transaction
from shared.events.wake_signal import WakeSignal


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """One event waiting in an outbox; `id` is its place in the order of sending."""

    id: int
    event_id: str
    topic: str
    key: str
    headers: Mapping[str, str]
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One event as a consumer reads it, with its place on the transport."""

    topic: str
    partition: int
    offset: int
    key: str
    headers: Mapping[str, str]
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionMove:
    """A group's move along one partition: from where its position was read to behind a batch."""

    topic: str
    partition: int
    read_from: int
    behind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Records that are handled together, those of a partition in their order; never empty.

    `moves` is what handling all of them does to the group's position.
    """

    records: Sequence[Record]
    moves: Sequence[PositionMove] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Where a log begins and ends: records `first` up to and without `end` are there."""

    first: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicProgress:
    """How far a group has read a topic: its position, the log's end, and what lies between.

    Where a topic has partitions these are sums over them.
    """

    position: int
    end: int
    lag: int


class Subscription(Protocol):
    """One consumer group's reading of some topics, in this process; `wake` is set when there is news."""

    wake: WakeSignal

    async def next_batch(self, *, limit: int) -> Batch | None:
        """Return the next records, or None when there are none."""
        ...

    def moved(self, batch: Batch) -> None:
        """Go on behind this batch, whose moves are committed."""
        ...

    def passed(self, batch: Batch) -> None:
        """Go on behind this batch, of which nothing concerns the group; its moves are written later."""
        ...

    def read_again(self) -> None:
        """Read the position again and go on from there, because it is not where this process left it."""
        ...

    def pause(self) -> float:
        """Return for how many seconds nobody need ask for a batch unless `wake` is set."""
        ...

    async def progress(self) -> Mapping[str, TopicProgress]:
        """Return for each topic how far the group has read it."""
        ...

    async def close(self) -> None:
        """Stop reading; what was not committed will be read again."""
        ...


class Transport(Protocol):
    """Where events go and come from."""

    async def send(self, tx: Transaction, rows: Sequence[OutboxRow]) -> None:
        """Make these rows durable for consumers, in order; `tx` is the relay's transaction of the outbox."""
        ...

    def subscribe(
        self, database: Database, *, group: str, topics: Sequence[str], merged: bool = False
    ) -> Subscription:
        """Read these topics as this group, `merged` in the order of making; `database` is the consumer's."""
        ...

    def in_place(self, publisher: str) -> frozenset[str]:
        """Name the topics of a service that lie in its own database: the relay moves their events itself."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...
