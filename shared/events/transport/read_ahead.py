"""Records that one process has fetched for a group and not yet returned.

Invariants:
- A batch is of one topic and from all its partitions, so that it is as large as the backlog and not a part of
  it; records of a partition stay in order. Of a causal group it is of all topics, in the order in which their
  events were made, so that what caused an event mostly stands before it.
- The topic whose next record is oldest has its turn: a group that fell behind handles events in about the
  order in which they happened, and few of them come too early.
"""

import heapq
from collections import OrderedDict, deque
from collections.abc import Sequence

from shared.events.transport.base import Record
from shared.events.transport.positions import Partition
from shared.ids import made_at


class ReadAhead:
    """The records of each partition that wait to be returned; `merged` mixes those of all topics."""

    def __init__(self, *, merged: bool = False) -> None:
        self.records = 0
        self._merged = merged
        self._waiting: OrderedDict[Partition, deque[Record]] = OrderedDict()

    def add(self, records: Sequence[Record]) -> None:
        """Put records of one partition behind those that wait there."""
        place = records[0].topic, records[0].partition
        self._waiting.setdefault(place, deque()).extend(records)
        self.records += len(records)

    def has(self, topic: str) -> bool:
        """Return whether records of a topic wait."""
        return any(place[0] == topic for place in self._waiting)

    def take(self, *, limit: int) -> list[Record]:
        """Return the next records of the topic whose turn it is, or of all; none where nothing waits."""
        taken = self._take_merged(limit) if self._merged else self._take_of_one_topic(limit)
        self.records -= len(taken)
        return taken

    def _take_merged(self, limit: int) -> list[Record]:
        heads = [(_age(records[0]), place) for place, records in self._waiting.items()]
        heapq.heapify(heads)
        taken: list[Record] = []
        while heads and len(taken) < limit:
            _, place = heads[0]
            records = self._waiting[place]
            taken.append(records.popleft())
            if records:
                heapq.heapreplace(heads, (_age(records[0]), place))
            else:
                heapq.heappop(heads)
                del self._waiting[place]
        return taken

    def _take_of_one_topic(self, limit: int) -> list[Record]:
        oldest = min(self._waiting, key=lambda place: _age(self._waiting[place][0]), default=None)
        taken: list[Record] = []
        for place in [place for place in self._waiting if oldest is not None and place[0] == oldest[0]]:
            if len(taken) == limit:
                break
            records = self._waiting.pop(place)
            taken += [records.popleft() for _ in range(min(limit - len(taken), len(records)))]
            if records:
                self._waiting[place] = records
        return taken

    def clear(self) -> None:
        """Forget what waits: it will be fetched again."""
        self._waiting.clear()
        self.records = 0


def _age(record: Record) -> str:
    """Return what sorts records by when their events were made: their ids; others come first."""
    event_id = record.headers.get("ce_id", "")
    return "" if made_at(event_id) is None else event_id
