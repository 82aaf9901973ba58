"""The catalog: every event type is declared once, and only what something publishes is listed.

`docs/events.md` is generated from it (`python -m shared.events.document`), and the outbox publishes nothing
else.
"""

from shared.events.catalog import careteam, notifications, referral, scheduling
from shared.events.catalog.types import EventType

CATALOG: dict[str, EventType] = {
    event.name: event
    for event in (*referral.EVENTS, *scheduling.EVENTS, *careteam.EVENTS, *notifications.EVENTS)
}

__all__ = ["CATALOG", "EventType", "careteam", "notifications", "referral", "scheduling"]
