"""The consumer: one transaction per batch, each event's effect once, one patient's trouble nobody else's.

Invariants:
- Held keys, inbox rows, effects, new events and the group's position behind a batch are one transaction, the
  last one of the batch. Delivery is at least once, effects exactly once.
- Where the position is not where the batch was read from, the transaction is rolled back and the position
  read again: another owner has handled the batch, or an operator wants it read again.
- Of an id that stands twice in a batch only the first is handled.
- The event that fails alone is held at once and its key with it; the others of the batch are handled as if it
  had not been there. Operational errors repeat the batch and hold nothing.
- Events that came too early are held together: after what came before them, before what follows them on
  their keys. A group that reads one topic faster than another pays for one repetition, not for one each.
- A causal group holds an event whose cause it has not handled, as one that came too early.
- A type that we have no handler for is skipped: known ones are for others, unknown ones are newer than we.
  A batch of nothing else costs no transaction.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared import failpoints
from shared.db import Database, Transaction
from shared.events import counters
from shared.events.catalog import CATALOG
from shared.events.failures import is_operational
from shared.events.inbox import deduplication, held_events
from shared.events.inbox.handler_call import Handlers, Progress
from shared.events.inbox.handling import NotYet, SomeNotYet
from shared.events.inbox.incoming import IncomingRecord, MalformedEvent
from shared.events.inbox.retry_policy import RetryPolicy
from shared.events.inbox.splitting import Errors, Failure, split
from shared.events.transport import positions
from shared.events.transport.base import Batch, PositionMove, Subscription
from shared.events.transport.positions import PositionMoved

Moves = Sequence[PositionMove]


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """Of a chunk of a batch: the ids not handled before, the records that were held, the causes to come."""

    fresh: set[str]
    aside: set[IncomingRecord]
    missing: set[str]


class Consumer:
    """One group's handling of what its subscription returns."""

    def __init__(
        self,
        database: Database,
        subscription: Subscription,
        handlers: Handlers,
        *,
        batch: int,
        retry_policy: RetryPolicy,
        progressed: Callable[[], None],
    ) -> None:
        self._database = database
        self._subscription = subscription
        self._handlers = handlers
        self._limit = batch
        self._retry_policy = retry_policy
        self._progressed = progressed
        self._group = handlers.group
        self._in_hand: Batch | None = None
        self._held_some = False

    def held_some(self) -> bool:
        """Return whether events were held since this was asked last."""
        held, self._held_some = self._held_some, False
        return held

    @property
    def in_hand_age(self) -> float:
        """How long ago in seconds the oldest event of the batch in hand was made; 0 where none is."""
        return counters.age(IncomingRecord(self._in_hand.records[0]).id) if self._in_hand is not None else 0.0

    async def step(self) -> bool:
        """Take a batch and handle it; return whether there was one."""
        if self._in_hand is None:
            self._in_hand = await self._subscription.next_batch(limit=self._limit)
        batch = self._in_hand
        if batch is None:
            return False
        failpoints.reach("fetched_not_handled")
        await self.handle(batch)
        self._in_hand = None
        return True

    async def handle(self, batch: Batch) -> None:
        """Handle a batch and go on behind it; raises where it is to be handled again."""
        wanted = [incoming for incoming in map(IncomingRecord, batch.records) if self._is_wanted(incoming)]
        if not wanted:
            self._subscription.passed(batch)
            return
        try:
            await self._handle_parts(wanted, moves=batch.moves)
        except PositionMoved:
            self._subscription.read_again()
        else:
            failpoints.reach("committed_not_passed")
            self._subscription.moved(batch)
            failpoints.reach("passed")
        self._progressed()

    async def _handle_parts(self, wanted: list[IncomingRecord], *, moves: Moves) -> None:
        """Handle a batch in as many transactions as its failing events need; the last moves the position."""
        parts: deque[list[IncomingRecord] | Errors] = deque([wanted])
        while parts:
            part = parts.popleft()
            moves_now = () if parts else moves
            if not isinstance(part, list):
                await self._hold(part, moves=moves_now)
            elif failure := await self._handle_together(part, moves=moves_now):
                parts.extendleft(reversed(split(part, failure)))

    async def _handle_together(self, chunk: list[IncomingRecord], *, moves: Moves) -> Failure | None:
        """Handle these in one transaction, or return why that failed; raises where the batch is repeated."""
        progress = Progress()
        places: list[int] = []
        try:
            async with self._database.transaction() as tx:
                admitted = await self._admit(tx, chunk, moves=moves)
                failpoints.reach("inbox_not_handled")
                places = _first_of_each(chunk, admitted)
                _refuse_without_cause([chunk[place] for place in places], missing=admitted.missing)
                await self._handlers.call_all(tx, [chunk[place].event for place in places], progress)
                failpoints.reach("handled_not_committed")
        except PositionMoved:
            raise
        except SomeNotYet as error:
            early = {places[progress.first + place]: not_yet for place, not_yet in error.early.items()}
            return Failure(error, early=early)
        except Exception as error:
            if is_operational(error):
                raise
            return Failure(error, at=None if progress.at is None else places[progress.at])
        self._count(chunk, admitted, {chunk[place] for place in places})
        return None

    async def _admit(self, tx: Transaction, chunk: Sequence[IncomingRecord], *, moves: Moves) -> Admitted:
        """Hold what belongs to a held key or is malformed, and write the rest into the inbox."""
        keys: set[str] = set()
        free, stopped = [], []
        for incoming in chunk:
            if incoming.malformed or incoming.key in keys:
                keys.add(incoming.key)
                stopped.append(incoming)
            else:
                free.append(incoming)
        admission = await deduplication.admit(
            tx,
            group=self._group,
            keys=[incoming.key for incoming in chunk],
            events=[(incoming.id, incoming.key) for incoming in free],
            moves=moves,
            causes={cause for incoming in free if (cause := incoming.cause)} if self._handlers.causal else (),
        )
        aside = {*stopped, *(incoming for incoming in free if incoming.key in admission.held)}
        reasons = [
            (one, MalformedEvent() if one.malformed and one.key not in admission.held else None)
            for one in chunk
            if one in aside
        ]
        await self._put_aside(tx, reasons)
        return Admitted(fresh=admission.fresh, aside=aside, missing=admission.missing)

    async def _hold(self, errors: Errors, *, moves: Moves) -> None:
        failpoints.reach("failed_not_held")
        async with self._database.transaction() as tx:
            await positions.move(tx, group=self._group, moves=moves)
            await self._put_aside(tx, list(errors.items()))
            failpoints.reach("held_not_committed")
        for incoming, error in errors.items():
            counters.handled(self._group, "early" if isinstance(error, NotYet) else "failed", [incoming])

    async def _put_aside(
        self, tx: Transaction, reasons: Sequence[tuple[IncomingRecord, Exception | None]]
    ) -> None:
        self._held_some |= bool(reasons)
        await held_events.hold(tx, reasons, group=self._group, retry_policy=self._retry_policy)

    def _is_wanted(self, incoming: IncomingRecord) -> bool:
        if incoming.type in self._handlers.table or not incoming.type:
            return True
        counters.handled(self._group, "ignored" if incoming.type in CATALOG else "unknown", [incoming])
        return False

    def _count(self, chunk: Sequence[IncomingRecord], admitted: Admitted, done: set[IncomingRecord]) -> None:
        outcomes: dict[str, list[IncomingRecord]] = {}
        for incoming in chunk:
            if incoming in done:
                outcome = "done"
            elif incoming in admitted.aside:
                outcome = "failed" if incoming.malformed else "held"
            else:
                outcome = "repeated"
            outcomes.setdefault(outcome, []).append(incoming)
        for outcome, records in outcomes.items():
            counters.handled(self._group, outcome, records)


def _first_of_each(chunk: Sequence[IncomingRecord], admitted: Admitted) -> list[int]:
    """Return the places of the events to handle: of an id that stands twice only the first."""
    left = set(admitted.fresh)
    places = []
    for place, incoming in enumerate(chunk):
        if incoming.id in left and incoming not in admitted.aside:
            left.discard(incoming.id)
            places.append(place)
    return places


def _refuse_without_cause(wanted: Sequence[IncomingRecord], *, missing: set[str]) -> None:
    """Raise SomeNotYet where the cause of an event is neither handled nor stands before it."""
    early: dict[int, NotYet] = {}
    left = set(missing)
    for place, incoming in enumerate(wanted):
        if incoming.cause in left:
            early[place] = NotYet(f"{incoming.cause} caused it")
        else:
            left.discard(incoming.id)
    if early:
        raise SomeNotYet(early)
