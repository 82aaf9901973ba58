"""The consumer: one transaction per batch, each event's effect once, one patient's trouble nobody else's.

Invariants:
- Held keys, inbox rows, effects and new events of a batch are one transaction; only after its commit is the
  position moved. Delivery is at least once, the effect exactly once.
- Of an id that stands twice in a batch only the first is handled.
- The event that fails alone is held at once and its key with it; the others of the batch are handled as if it
  had not been there. Operational errors repeat the batch and hold nothing.
- A type that we have no handler for is skipped: known ones are for others, unknown ones are newer than we.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared import failpoints
from shared.db import Database, Transaction
from shared.events import counters, held, inbox
from shared.events.arrival import Arrival, MalformedEvent
from shared.events.catalog import CATALOG
from shared.events.failures import is_operational
from shared.events.handler_call import Handlers
from shared.events.patience import Patience
from shared.events.transport import Batch, Subscription


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong in a transaction, and at which of its events, None when only at the commit."""

    error: Exception
    at: int | None


class Consumer:
    """One group's handling of what its subscription gives."""

    def __init__(
        self,
        database: Database,
        subscription: Subscription,
        handlers: Handlers,
        *,
        batch: int,
        patience: Patience,
        progressed: Callable[[], None],
    ) -> None:
        self._database = database
        self._subscription = subscription
        self._handlers = handlers
        self._limit = batch
        self._patience = patience
        self._progressed = progressed
        self._group = handlers.group
        self._in_hand: Batch | None = None

    @property
    def in_hand_age(self) -> float:
        """How long ago in seconds the oldest event of the batch in hand was made; 0 where none is."""
        return counters.age(Arrival(self._in_hand.records[0]).id) if self._in_hand is not None else 0.0

    async def step(self) -> bool:
        """Take a batch and handle it; always True: where there is none, the subscription has waited."""
        if self._in_hand is None:
            self._in_hand = await self._subscription.next_batch(limit=self._limit)
        if self._in_hand is not None:
            failpoints.reach("fetched_not_handled")
            await self.handle(self._in_hand)
            failpoints.reach("committed_not_offset")
            await self._subscription.commit(self._in_hand)
            failpoints.reach("offset_committed")
            self._in_hand = None
            self._progressed()
        return True

    async def handle(self, batch: Batch) -> None:
        """Handle a batch, in as many transactions as its failing events need."""
        wanted = [arrival for arrival in map(Arrival, batch.records) if self._is_wanted(arrival)]
        chunks = deque([wanted])
        while chunks:
            chunk = chunks.popleft()
            failure = await self._together(chunk) if chunk else None
            if failure is not None and len(chunk) == 1:
                await self._hold(chunk[0], failure.error)
            elif failure is not None:
                chunks.extendleft(reversed(_apart(chunk, failure.at)))

    async def _together(self, chunk: Sequence[Arrival]) -> Failure | None:
        at: int | None = None
        done: list[Arrival] = []
        try:
            async with self._database.transaction() as tx:
                free = await self._free(tx, chunk)
                first = await inbox.first_time(
                    tx, group=self._group, event_ids=[arrival.id for _, arrival in free]
                )
                failpoints.reach("inbox_not_handled")
                for place, arrival in free:
                    at = place
                    if arrival.id in first:
                        first.discard(arrival.id)
                        await self._handlers.call(tx, arrival.event)
                        done.append(arrival)
                at = None
                failpoints.reach("handled_not_committed")
        except Exception as error:
            if is_operational(error):
                raise
            return Failure(error, at)
        self._count(chunk, [arrival for _, arrival in free], done)
        return None

    async def _free(self, tx: Transaction, chunk: Sequence[Arrival]) -> list[tuple[int, Arrival]]:
        """Hold what belongs to a held key or is malformed, and give the rest with its place in the chunk."""
        keys = await held.held_among(tx, group=self._group, keys={arrival.key for arrival in chunk})
        free = []
        for place, arrival in enumerate(chunk):
            if arrival.key in keys:
                await self._put_aside(tx, arrival, None)
            elif arrival.malformed:
                await self._put_aside(tx, arrival, MalformedEvent())
                keys.add(arrival.key)
            else:
                free.append((place, arrival))
        return free

    async def _hold(self, arrival: Arrival, error: Exception) -> None:
        failpoints.reach("failed_not_held")
        async with self._database.transaction() as tx:
            await self._put_aside(tx, arrival, error)
            failpoints.reach("held_not_committed")
        counters.handled(self._group, "held", [arrival])

    async def _put_aside(self, tx: Transaction, arrival: Arrival, error: Exception | None) -> None:
        await held.hold(tx, group=self._group, arrival=arrival, patience=self._patience, error=error)

    def _is_wanted(self, arrival: Arrival) -> bool:
        if arrival.type in self._handlers.table or not arrival.type:
            return True
        counters.handled(self._group, "ignored" if arrival.type in CATALOG else "unknown", [arrival])
        return False

    def _count(self, chunk: Sequence[Arrival], free: Sequence[Arrival], done: Sequence[Arrival]) -> None:
        kept, had = {id(arrival) for arrival in free}, {id(arrival) for arrival in done}
        counters.handled(self._group, "done", done)
        counters.handled(self._group, "repeated", [one for one in free if id(one) not in had])
        counters.handled(self._group, "held", [one for one in chunk if id(one) not in kept])


def _apart(chunk: list[Arrival], at: int | None) -> list[list[Arrival]]:
    """Part a failed chunk: what came before, the one that failed, what came after; or each alone."""
    if at is None:
        return [[arrival] for arrival in chunk]
    return [chunk[:at], [chunk[at]], chunk[at + 1 :]]
