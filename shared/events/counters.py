"""What the worker counts; what it has left to do is read from `Worker.standing()`.

No label holds anything about a person: services, topics, event types, loops and outcomes only, and a type
that stands in no catalog is `other`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from shared.clock import machine_now
from shared.events.catalog import CATALOG
from shared.events.inbox.incoming import IncomingRecord
from shared.events.topics import TOPICS
from shared.ids import made_at
from shared.telemetry.tally import LONG_SECONDS, Count, Timing

_SENT = Count(
    "messaging.client.sent.messages",
    unit="{message}",
    description="Events sent from an outbox",
    labels=("service", "event_type"),
)
_HANDLED = Count(
    "lumbar.events.handled",
    unit="{event}",
    description="Events read, by outcome: `early` and `failed` hold their key, `held` waits behind them",
    labels=("service", "event_type", "outcome"),
)
_EFFECT = Timing(
    "lumbar.event.effect.duration",
    description="From the making of an event (machine time) to its committed effect",
    labels=("service", "topic"),
    bounds=LONG_SECONDS,
)
PROCESSED = Timing(
    "messaging.process.duration",
    description="Time in a handler, without the commit",
    labels=("service", "event_type"),
)
HELD_RETRIES = Count(
    "lumbar.held.retries",
    unit="{attempt}",
    description="Held events tried again, by outcome",
    labels=("service", "outcome"),
)
TIMERS = Count(
    "lumbar.timers.fired", unit="{timer}", description="Timers, by outcome", labels=("service", "outcome")
)
LATENESS = Timing(
    "lumbar.timer.lateness",
    description="Care time between when a timer was due and when it fired",
    labels=("service", "kind"),
    bounds=LONG_SECONDS,
)
STEPS_FAILED = Count(
    "lumbar.worker.steps.failed",
    unit="{failure}",
    description="Failed attempts of a worker's loops",
    labels=("loop",),
)


def expect(service: str, *, heard: Iterable[str]) -> None:
    """Show as 0 from the start what this service may send and what may fail in it: a first time is a rise."""
    for event_type in heard:
        for outcome in ("done", "failed"):
            _HANDLED.expect(service, type_label(event_type), outcome)
    for event_type in CATALOG:
        if is_own(service, event_type):
            _SENT.expect(service, event_type)


def sent(service: str, by_type: Mapping[str, int]) -> None:
    """Count what the relay has moved, so many of each event type; what others published is for the feed."""
    for event_type, number in by_type.items():
        known = event_type in CATALOG
        label = "feed" if known and not is_own(service, event_type) else type_label(event_type)
        _SENT.add(number, service, label)


def handled(service: str, outcome: str, records: Sequence[IncomingRecord]) -> None:
    """Count what became of these; for the `done` also how long after their making that was."""
    for event_type, number in Counter(incoming.type for incoming in records).items():
        _HANDLED.add(number, service, type_label(event_type), outcome)
    if outcome == "done":
        now = machine_now().timestamp()
        for incoming in records:
            if (made := made_at(incoming.id)) is not None:
                _EFFECT.record(max(0.0, now - made), service, incoming.record.topic)


def age(event_id: str) -> float:
    """Tell how many seconds ago (machine time) an event was made; 0 for an id that does not say."""
    made = made_at(event_id)
    return 0.0 if made is None else max(0.0, machine_now().timestamp() - made)


def is_own(service: str, event_type: str) -> bool:
    """Tell whether this service publishes this type."""
    return TOPICS[CATALOG[event_type].topic].publisher == service


def type_label(event_type: str) -> str:
    """Give the event type as a label: its name if it is one of ours."""
    return event_type if event_type in CATALOG else "other"
