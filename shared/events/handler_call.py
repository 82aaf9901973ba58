"""Calling a handler: its act, and its span as a child of the trace that the event belongs to.

Invariant: a span is opened only where the event's trace is sampled; what the handler publishes then continues
that trace. There are no links, and nothing of the event but its type and id stands in the span.
"""

from dataclasses import dataclass

from shared.act import Act, Actor
from shared.clock import Clock, monotonic
from shared.db import Transaction
from shared.events.counters import PROCESSED, type_label
from shared.events.envelope import Event
from shared.events.handling import HandlerTable
from shared.telemetry.tracing import handler_span


@dataclass(frozen=True, kw_only=True)
class Handlers:
    """One group's handlers, and who acts when they run."""

    group: str
    table: HandlerTable
    clock: Clock

    async def call(self, tx: Transaction, event: Event) -> None:
        """Run the handler of this event and send what it wrote, so that the database speaks now."""
        act = Act(at=self.clock.now(), actor=Actor.service(self.group), cause=event.id)
        handler, started = self.table[event.type], monotonic()
        with handler_span(
            f"{self.group} handles {event.type}",
            traceparent=event.traceparent,
            attributes={"messaging.operation.type": "process", "messaging.message.id": event.id},
        ):
            await handler(tx, event, act)
            await tx.flush()
        PROCESSED.record(monotonic() - started, self.group, type_label(event.type))
