"""What the worker counts; what it has left to do is read from `Worker.read_status()`.

No label holds anything about a person: services, topics, event types, loops and outcomes only, and a type
that stands in no catalog is `other`.
"""

import collections
from collections.abc import Iterable, Mapping, Sequence

from prometheus_client import Counter, Histogram

from shared.clock import machine_now
from shared.events.catalog import CATALOG
from shared.events.inbox.incoming import IncomingRecord
from shared.events.topics import TOPICS
from shared.ids import made_at
from shared.telemetry.registry import LONG_SECONDS, REGISTRY, SECONDS

_SENT = Counter(
    "messaging_client_sent_messages",
    "Events sent from an outbox",
    ["service", "event_type"],
    registry=REGISTRY,
)
_HANDLED = Counter(
    "lumbar_events_handled",
    "Events read, by outcome: `early` and `failed` hold their key, `held` waits behind them",
    ["service", "event_type", "outcome"],
    registry=REGISTRY,
)
_EFFECT = Histogram(
    "lumbar_event_effect_duration_seconds",
    "From the making of an event (machine time) to its committed effect",
    ["service", "topic"],
    buckets=LONG_SECONDS,
    registry=REGISTRY,
)
_PROCESSED = Histogram(
    "messaging_process_duration_seconds",
    "Time in a handler, without the commit",
    ["service", "event_type"],
    buckets=SECONDS,
    registry=REGISTRY,
)
HELD_RETRIES = Counter(
    "lumbar_held_retries",
    "Held events tried again, by outcome",
    ["service", "outcome"],
    registry=REGISTRY,
)
TIMERS = Counter("lumbar_timers_fired", "Timers, by outcome", ["service", "outcome"], registry=REGISTRY)
LATENESS = Histogram(
    "lumbar_timer_lateness_seconds",
    "Care time between when a timer was due and when it fired",
    ["service", "kind"],
    buckets=LONG_SECONDS,
    registry=REGISTRY,
)
GAPS = Counter(
    "lumbar_log_gaps",
    "Times that records were gone before a group had read them",
    ["service", "topic"],
    registry=REGISTRY,
)
STEPS_FAILED = Counter(
    "lumbar_worker_steps_failed", "Failed attempts of a worker's loops", ["loop"], registry=REGISTRY
)


def expect(service: str, *, handled_types: Iterable[str]) -> None:
    """Show as 0 from the start what this service may send and what may fail in it: a first time is a rise."""
    for event_type in handled_types:
        for outcome in ("done", "failed"):
            _HANDLED.labels(service, type_label(event_type), outcome)
    for event_type in CATALOG:
        if is_own(service, event_type):
            _SENT.labels(service, event_type)


def sent(service: str, by_type: Mapping[str, int]) -> None:
    """Count what the relay has moved, so many of each event type; what others published is for the feed."""
    for event_type, number in by_type.items():
        known = event_type in CATALOG
        label = "feed" if known and not is_own(service, event_type) else type_label(event_type)
        _SENT.labels(service, label).inc(number)


def handled(service: str, outcome: str, records: Sequence[IncomingRecord]) -> None:
    """Count what became of these; for the `done` also how long after their making that was."""
    for event_type, number in collections.Counter(incoming.type for incoming in records).items():
        _HANDLED.labels(service, type_label(event_type), outcome).inc(number)
    if outcome == "done":
        now = machine_now().timestamp()
        for incoming in records:
            if (made := made_at(incoming.id)) is not None:
                _EFFECT.labels(service, incoming.record.topic).observe(max(0.0, now - made))


def processed(service: str, event_type: str, *, seconds: float, times: int) -> None:
    """Count so many events of a type that took so long each in their handler."""
    durations = _PROCESSED.labels(service, type_label(event_type))
    for _ in range(times):
        durations.observe(seconds)


def age(event_id: str) -> float:
    """Return how many seconds ago (machine time) an event was made; 0 for an id that does not say."""
    made = made_at(event_id)
    return 0.0 if made is None else max(0.0, machine_now().timestamp() - made)


def is_own(service: str, event_type: str) -> bool:
    """Return whether this service publishes this type."""
    return TOPICS[CATALOG[event_type].topic].publisher == service


def type_label(event_type: str) -> str:
    """Return the event type as a label: its name if it is one of ours."""
    return event_type if event_type in CATALOG else "other"
