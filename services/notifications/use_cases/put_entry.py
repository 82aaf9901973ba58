"""Put an entry into the live feed."""

import msgspec

from services.notifications.rules import FeedEntry
from shared.db import Transaction
from shared.events.outbox import publishing
from shared.events.topics import FEED


def put_entry(tx: Transaction, entry: FeedEntry) -> None:
    """Put an entry on its way to the feed's log."""
    publishing.put(
        tx,
        topic=FEED,
        key=entry.patient or entry.id,
        event_id=f"feed/{entry.id}",
        headers={"ce_id": entry.id, "ce_type": entry.type},
        value=msgspec.json.encode(entry),
    )
