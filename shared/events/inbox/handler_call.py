"""Calling handlers: their contexts, and their spans as children of the traces that the events belong to.

Invariants:
- A span is opened only where the event's trace is sampled; what the handler publishes then continues that
  trace. There are no links, and nothing of the event but its type and id stands in the span.
- No handler stops its group for ever: when its time is up, its event is treated as one that failed.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from shared.clock import monotonic
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.types import typed
from shared.events.counters import processed
from shared.events.envelope import Event
from shared.events.inbox.handling import BatchHandler, EventBatch, EventContext, Handler, HandlerTable
from shared.time_limit import AT_MOST, at_most


@dataclass(slots=True)
class Progress:
    """Where a batch is: the place of the event in hand, None while it is no single event's turn."""

    run: EventBatch | None = None
    first: int = 0

    @property
    def at(self) -> int | None:
        """The place of the event in hand."""
        return None if self.run is None or self.run.at is None else self.first + self.run.at


@dataclass(frozen=True, kw_only=True)
class Handlers:
    """One group's handlers; `context` makes the context of a cause, `at_most` is the machine time for one.

    A `causal` group handles an event only after the event that caused it, whatever topic that came from; it
    must have handlers for all events of its topics.
    """

    group: str
    table: HandlerTable
    context: Callable[[str], Context]
    at_most: timedelta = AT_MOST
    causal: bool = False

    async def call(self, tx: Transaction, event: Event) -> None:
        """Run the handler of this event."""
        await self.call_all(tx, [event], Progress())

    async def call_all(self, tx: Transaction, events: Sequence[Event], progress: Progress) -> None:
        """Run the handlers of these events in order, those together that are taken together.

        `progress` tells meanwhile, and after an error, whose turn it is. Raises TookTooLong, and SomeNotYet
        where a batch handler found events that came too early.
        """
        place = 0
        for handler, group in itertools.groupby(events, key=lambda event: self.table[event.type]):
            run = EventBatch([EventContext(typed(event), self.context(event.id)) for event in group])
            progress.run, progress.first = run, place
            started = monotonic()
            if isinstance(handler, BatchHandler):
                await self.call_batch(tx, handler, run)
            else:
                await self.call_each(tx, handler, run)
            self._time(events[place : place + len(run)], monotonic() - started)
            place += len(run)

    async def call_batch(self, tx: Transaction, handler: BatchHandler, run: EventBatch) -> None:
        """Run a handler of several events on all of these, in the time of one. Raises as `call_all`."""
        async with at_most(self.at_most):
            await handler.handle(run.ctx, tx, run)
            run.raise_if_deferred()

    async def call_each(self, tx: Transaction, handler: Handler, run: EventBatch) -> None:
        """Run a handler on each of these events, with its own time and span. Raises TookTooLong."""
        for heard in run:
            async with at_most(self.at_most):
                with heard.span():
                    await handler(heard.ctx, tx, heard.event)

    def _time(self, events: Sequence[Event], seconds: float) -> None:
        for event_type, number in Counter(event.type for event in events).items():
            processed(self.group, event_type, seconds=seconds / len(events), times=number)
