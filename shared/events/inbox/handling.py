"""What a service's `handlers.py` and `worker.py` need to name: handlers, `NotYet`, and the table of both.

A handler takes one event, or it is a `BatchHandler`, which takes consecutive events of a batch at once: what
they need is then loaded together and what they write is written together. Its effects are those of one event
after the other, and a batch of one event is nothing special.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import DomainEvent
from shared.telemetry.tracing import handler_span, is_sampled

_NO_SPAN = nullcontext()


@dataclass(frozen=True, slots=True)
class EventContext:
    """One event of a batch, and the context in which it is handled."""

    event: DomainEvent
    ctx: Context

    def span(self) -> AbstractContextManager[None]:
        """Continue the trace that the event belongs to, for what is published because of it."""
        if not is_sampled(self.event.received.traceparent):
            return _NO_SPAN
        return handler_span(
            f"{self.ctx.actor.reference.removeprefix('Device/')} handles {self.event.type}",
            traceparent=self.event.received.traceparent,
            attributes={"messaging.operation.type": "process", "messaging.message.id": self.event.id},
        )


class EventBatch:
    """Events that one handler takes together, in order.

    Going through them notes the place, so that an error raised meanwhile is this event's: it alone is then
    held. An error outside such a loop is nobody's, and the run is handled again one by one.
    """

    def __init__(self, heard: Sequence[EventContext]) -> None:
        self.at: int | None = None
        self.early: dict[int, NotYet] = {}
        self._heard = heard

    def __len__(self) -> int:
        return len(self._heard)

    @property
    def types(self) -> set[str]:
        """The types of its events."""
        return {heard.event.type for heard in self._heard}

    @property
    def ctx(self) -> Context:
        """The context of the first event: when, and by whom, all of them are handled."""
        return self._heard[0].ctx

    def defer(self, error: "NotYet") -> None:
        """Note that the event in hand came too early, and go on with the others: nothing that the run writes
        will count, but all that came too early are found at once. Raises it where no event is in hand.
        """
        if self.at is None:
            raise error
        self.early[self.at] = error

    def raise_if_deferred(self) -> None:
        """Raise SomeNotYet where events came too early, of a run of one its NotYet."""
        if self.early:
            raise self.early[0] if len(self) == 1 else SomeNotYet(self.early)

    def __iter__(self) -> Iterator[EventContext]:
        for place, heard in enumerate(self._heard):
            self.at = place
            yield heard
        self.at = None


Handler = Callable[[Context, Transaction, Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class BatchHandler:
    """A handler of runs; the same object stands at every event type that may be in one run."""

    handle: Callable[[Context, Transaction, EventBatch], Awaitable[None]]


HandlerTable = Mapping[str, Handler | BatchHandler]


class NotYet(Exception):
    """What must have come before is not here yet: hold the event and try again, without an alert for 10
    minutes.
    """


class SomeNotYet(Exception):
    """Events of a run came too early; `early` has them by their place in it."""

    def __init__(self, early: Mapping[int, NotYet]) -> None:
        super().__init__(f"{len(early)} events of a run")
        self.early = early
