"""Trying held events again, key by key, each topic's in the order in which its events came.

Invariants:
- One event, one transaction: its effect, its inbox row and its removal from the held table are one.
- The key stays locked meanwhile, so that the consumer's newcomers of the key wait or are held behind.
- Backoff is machine time.
"""

from dataclasses import dataclass
from datetime import timedelta

from shared import failpoints
from shared.clock import machine_now
from shared.db import Database, Transaction
from shared.events.counters import HELD_RETRIES
from shared.events.failures import is_operational
from shared.events.inbox import deduplication, held_events
from shared.events.inbox.handler_call import Handlers
from shared.events.inbox.handling import NotYet
from shared.events.inbox.retry_policy import RetryPolicy
from shared.events.polling_loop import NET

# After that an event is handled without its cause, which may be gone or given up.
_CAUSE_WITHIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """A locked key and the event of it that is tried; `is_last` when no other topic's is left to try."""

    key: held_events.HeldKey
    event: held_events.HeldEvent
    is_last: bool


class HeldRetry:
    """One group's retrying of its held events."""

    def __init__(self, database: Database, handlers: Handlers, *, retry_policy: RetryPolicy) -> None:
        self._database = database
        self._handlers = handlers
        self._retry_policy = retry_policy
        self._group = handlers.group
        self._remaining = NET

    def pause(self) -> float:
        """Return for how many seconds nothing is due unless something more is held."""
        return max(0.0, min(self._remaining, NET))

    async def step(self) -> bool:
        """Try the held event that is due first; return whether to come back at once."""
        self._remaining = await self._seconds_to_next()
        return self._remaining <= 0 and await self._try_one()

    async def _try_one(self) -> bool:
        too_early: set[int] = set()
        while True:
            attempt: _Attempt | None = None
            try:
                async with self._database.transaction() as tx:
                    attempt = await self._next(tx, but=too_early)
                    if attempt is None:
                        return bool(too_early)
                    failpoints.reach("retry_not_handled")
                    await self._handle(tx, attempt)
                    failpoints.reach("retried_not_removed")
                    await held_events.done(tx, group=self._group, event=attempt.event)
                    failpoints.reach("removed_not_committed")
            except Exception as error:
                if attempt is None or is_operational(error):
                    raise
                too_early.add(attempt.event.seq)
                if not isinstance(error, NotYet) or attempt.is_last:
                    await self._postpone(attempt, error)
                    return True
            else:
                HELD_RETRIES.labels(self._group, "done").inc()
                return True

    async def _next(self, tx: Transaction, *, but: set[int]) -> "_Attempt | None":
        """Lock a due key and choose its event: what came too early lets another topic's go first."""
        key = await held_events.lock_due(tx, group=self._group)
        if key is None:
            return None
        heads = await held_events.heads(tx, group=self._group, key=key.key)
        left = [event for event in heads if event.seq not in but]
        if not left:
            await held_events.release_if_empty(tx, group=self._group, key=key.key)
            return None
        return _Attempt(key=key, event=left[0], is_last=len(left) == 1)

    async def _handle(self, tx: Transaction, attempt: "_Attempt") -> None:
        cause, wanted = attempt.event.incoming.cause, attempt.event.incoming.event
        waits = self._handlers.causal and machine_now() < attempt.key.since + _CAUSE_WITHIN
        if waits and cause and not await deduplication.is_handled(tx, group=self._group, event_id=cause):
            raise NotYet(f"{cause} caused it")
        first = await deduplication.first_time(tx, group=self._group, event_id=wanted.id)
        if first and wanted.type in self._handlers.table:
            await self._handlers.call(tx, wanted)

    async def _postpone(self, attempt: "_Attempt", error: Exception) -> None:
        async with self._database.transaction() as tx:
            await held_events.postpone(
                tx,
                group=self._group,
                held=attempt.key,
                event=attempt.event,
                retry_policy=self._retry_policy,
                error=error,
            )
        HELD_RETRIES.labels(self._group, "early" if isinstance(error, NotYet) else "failed").inc()

    async def _seconds_to_next(self) -> float:
        rows = await self._database.fetch(
            "SELECT min(machine_next_at) AS due FROM held_key"
            " WHERE consumer_group = $1 AND state = 'retrying'",
            self._group,
        )
        due = rows[0]["due"]
        return NET if due is None else float((due - machine_now()).total_seconds())
