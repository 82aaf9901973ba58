"""What carries events from an outbox to the consumers: the embedded log or Kafka, behind one contract.

Invariants that every transport keeps (tests/contract/ runs one suite over all of them):
- `send` returns only when every record is durable where consumers read; the relay deletes only after that.
  What is `in_place` is never sent: one statement of the relay deletes and appends it (moving.py).
- Records of one key arrive in the order in which they were sent; a record may arrive more than once.
- A subscription hands out nothing again that was committed, except after a lost commit or a change of owner.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from shared.db import Database, Transaction


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
class Batch:
    """Records of one topic, those of a partition in their order; never empty."""

    topic: str
    records: Sequence[Record]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Where a log begins and ends: records `first` up to and without `end` are there."""

    first: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicProgress:
    """How far a group has read a topic: its committed position, the log's end, and what lies between.

    Where a topic has partitions these are sums over them.
    """

    position: int
    end: int
    lag: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A group's step along a topic, in the consumer's database: from where it read to behind the batch."""

    topic: str
    read_from: int
    behind: int


class Subscription(Protocol):
    """One consumer group's reading of some topics, in this process."""

    async def next_batch(self, *, limit: int) -> Batch | None:
        """Wait a little for records (at most about 250 ms) and give them, or None when there are none."""
        ...

    async def commit(self, batch: Batch) -> None:
        """Remember that everything up to the batch's last record was handled."""
        ...

    async def progress(self) -> Mapping[str, TopicProgress]:
        """Return for each topic how far the group has read it, as committed."""
        ...

    async def close(self) -> None:
        """Stop reading; what was not committed will be read again."""
        ...


@runtime_checkable
class StepsAlong(Protocol):
    """A subscription whose position lies where the effects do, and so may move in their transaction."""

    def step_behind(self, batch: Batch) -> Step | None:
        """Tell the step that handling a batch is, None while nobody knows where the group stands."""
        ...

    def stepped(self, step: Step) -> None:
        """Go on behind this step; called once it is committed."""
        ...


class Transport(Protocol):
    """Where events go and come from."""

    async def send(self, tx: Transaction, rows: Sequence[OutboxRow]) -> None:
        """Make these rows durable for consumers, in order; `tx` is the relay's transaction of the outbox."""
        ...

    def subscribe(self, database: Database, *, group: str, topics: Sequence[str]) -> Subscription:
        """Read these topics as this group; `database` is the consumer's."""
        ...

    def in_place(self, publisher: str) -> frozenset[str]:
        """Name the topics of a service that lie in its own database: the relay moves their events itself."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...
