"""Events that `notifications` publishes: what became of each message."""

from shared.events.catalog.types import EventType
from shared.events.topics import NOTIFICATIONS

DELIVERED = EventType(
    name="notification.delivered",
    topic=NOTIFICATIONS,
    focus="Communication",
    emitted="The channel took the message.",
)
UNDELIVERABLE = EventType(
    name="notification.undeliverable",
    topic=NOTIFICATIONS,
    focus="Communication",
    emitted="The channel refused the message for good, or there is no channel; statusReason says which.",
)

EVENTS = (DELIVERED, UNDELIVERABLE)
