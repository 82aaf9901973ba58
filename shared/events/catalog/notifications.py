"""Events that `notifications` publishes: what became of each message."""

from shared.events.catalog.types import DomainEvent
from shared.events.topics import NOTIFICATIONS


class NotificationDelivered(
    DomainEvent,
    name="notification.delivered",
    topic=NOTIFICATIONS,
    focus="Communication",
    emitted="The channel took the message.",
):
    """A message reached its channel."""


class NotificationUndeliverable(
    DomainEvent,
    name="notification.undeliverable",
    topic=NOTIFICATIONS,
    focus="Communication",
    emitted="The channel refused the message for good, or there is no channel; statusReason says which.",
):
    """A message did not reach its channel and will not."""
