"""Retention: what is older than a topic keeps it goes, in machine time.

Invariant: inbox rows outlive every topic's retention by a week, so whatever can be read again is known again.
"""

from datetime import timedelta

from shared.clock import machine_now
from shared.db import Database
from shared.events.inbox import deduplication
from shared.events.topics import TOPICS
from shared.events.transport import event_log

_BEYOND = timedelta(days=7)


class Retention:
    """One service's own logs and inbox."""

    def __init__(self, database: Database, *, service: str) -> None:
        self._database = database
        self._own = [topic for topic in TOPICS.values() if topic.publisher == service]

    async def step(self) -> bool:
        """Trim every log and the inbox once; always False, because the next time is far away."""
        for topic in self._own:
            before = machine_now() - timedelta(days=topic.retention_days)
            async with self._database.transaction() as tx:
                await event_log.trim(tx, topic.name, before=before)
        longest = timedelta(days=max(topic.retention_days for topic in TOPICS.values()))
        async with self._database.transaction() as tx:
            await deduplication.forget(tx, before=machine_now() - longest - _BEYOND)
        return False
