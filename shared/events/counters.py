"""What the worker counts, by OpenTelemetry's metrics API; gauges are read from `Worker.figures()`.

No attribute holds anything about a person: services, topics, event types and outcomes only.
"""

from opentelemetry import metrics

_meter = metrics.get_meter("lumbar")

RELAYED = _meter.create_counter("lumbar.relay.sent", unit="{event}", description="Events sent from an outbox")
HANDLED = _meter.create_counter(
    "lumbar.events.handled",
    unit="{event}",
    description="Events read by a consumer, by outcome: done, repeated, ignored, unknown, held",
)
HELD_RETRIES = _meter.create_counter(
    "lumbar.held.retries", unit="{attempt}", description="Held events tried again, by outcome"
)
TIMERS = _meter.create_counter("lumbar.timers.fired", unit="{timer}", description="Timers, by outcome")
