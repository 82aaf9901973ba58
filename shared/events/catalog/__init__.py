"""The catalog: every event type is a class, and only what something publishes is listed.

`docs/events.md` is generated from it (`python -m shared.events.document`), and the outbox publishes nothing
else.
"""

from shared.events.catalog import careteam, notifications, referral, scheduling
from shared.events.catalog.types import CATALOG, DomainEvent

__all__ = ["CATALOG", "DomainEvent", "careteam", "notifications", "referral", "scheduling"]
