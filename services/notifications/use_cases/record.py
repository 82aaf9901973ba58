"""Record what became of an attempt: delivered, to be tried again, or given up."""

from dataclasses import dataclass
from typing import Any

from prometheus_client import Counter

from services.notifications import queries
from services.notifications.rules import delivery
from services.notifications.states import Channel, Outcome
from services.notifications.use_cases import end
from services.notifications.use_cases.take import Outgoing
from shared.context import Context
from shared.db import Transaction
from shared.fhir import store
from shared.telemetry.registry import REGISTRY

_ATTEMPTS = Counter(
    "lumbar_notifications_attempts",
    "Attempts to hand over a notification, by channel and outcome",
    ["channel", "outcome"],
    registry=REGISTRY,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the channel said: taken, failed (may be tried again) or refused for good."""

    outcome: Outcome
    detail: str = ""


async def run(ctx: Context, tx: Transaction, sent: Outgoing, result: Result) -> bool:
    """Record an attempt under its lease; tell whether the lease was still ours, else nothing is written."""
    row = await queries.messages.leased(tx, sent.id, lease=sent.lease)
    if row is None:
        return False
    attempts = (await queries.messages.attempts(tx, [row.id]))[row.id]
    await tx.update(attempts[-1], outcome=result.outcome, detail=result.detail)
    way = Channel(row.channel)
    channel, became = str(way), str(result.outcome)
    tx.after_commit(f"count an attempt of {row.id}", lambda: _ATTEMPTS.labels(channel, became).inc())

    again = delivery.next_attempt(created_at=row.created_at, attempts=row.attempts, now=ctx.at)
    if result.outcome is Outcome.FAILED and again is not None:
        changes: dict[str, Any] = {"next_attempt_at": again, "lease": None, "machine_lease_until": None}
        await store.update(tx, row, end.render(ctx, row, attempts), at=ctx.at, **changes)
    else:
        reasons = {Outcome.REFUSED: delivery.refused(way), Outcome.FAILED: delivery.gave_up(way)}
        await end.run(ctx, tx, [(row, reasons.get(result.outcome))], attempts={row.id: attempts})
    return True
