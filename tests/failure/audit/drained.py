"""I11: nothing is on its way: outboxes empty, no lag, nothing held but what was planted, nothing overdue."""

from collections.abc import AsyncIterator

from tests.failure.audit.evidence import Evidence

LEFT = {
    "events in the outbox": "outbox",
    "timers overdue": "timer WHERE due_at <= now()",
}
DUE = "notification WHERE next_attempt_at <= now()"
_HELD = "SELECT key, state, error FROM held_key"


async def drained(evidence: Evidence) -> AsyncIterator[str]:
    """List what is left."""
    for service in evidence.databases:
        for what, table in LEFT.items():
            if left := await _count(evidence, service, table):
                yield f"I11: {service} has {left} {what}"
        for row in await evidence.rows(service, _HELD):
            if row["key"] not in evidence.planted:
                yield f"I11: {service} holds the key {row['key']} ({row['state']}, {row['error']})"
    for reader, lag in evidence.lag.items():
        if lag:
            yield f"I11: {reader} is {lag} records behind"
    if left := await _count(evidence, "notifications", DUE):
        yield f"I11: {left} messages are due"


async def _count(evidence: Evidence, service: str, table: str) -> int:
    return int((await evidence.rows(service, f"SELECT count(*) AS left FROM {table}"))[0]["left"])
