"""The worker's part of timers: fires what is due at the clock's time and lets a failing timer wait."""

from collections.abc import Callable

import structlog

from shared.clock import Clock, machine_now
from shared.context import Context
from shared.db import Database
from shared.events.counters import LATENESS, TIMERS
from shared.events.failures import is_operational, where_it_failed
from shared.events.polling_loop import NET
from shared.timers import TimerFailed, TimerTable, fire_next, postpone

_NEXT = """
SELECT
  (SELECT min(due_at) FROM timer
   WHERE kind = ANY($1::text[]) AND (machine_next_at IS NULL OR machine_next_at <= $3)) AS due,
  (SELECT min(machine_next_at) FROM timer
   WHERE kind = ANY($1::text[]) AND due_at <= $2 AND machine_next_at > $3) AS again
"""

log = structlog.get_logger("lumbar.timers")


class TimerFiring:
    """One service's timers."""

    def __init__(
        self,
        database: Database,
        handlers: TimerTable,
        *,
        clock: Clock,
        context: Callable[[str], Context],
        service: str,
    ) -> None:
        self._database = database
        self._handlers = handlers
        self._clock = clock
        self._service = service
        self._context = context
        self._remaining = NET

    def pause(self) -> float:
        """Return for how many seconds no timer is due unless one is set."""
        return max(0.0, min(self._remaining, NET))

    async def step(self) -> bool:
        """Fire the timer that has been due longest; return whether there was one."""
        self._remaining = await self._seconds_to_next()
        if self._remaining > 0:
            return False
        try:
            fired = await fire_next(self._database, self._handlers, context=self._context)
        except TimerFailed as failure:
            await self._put_off(failure)
            return True
        if fired is not None:
            TIMERS.labels(self._service, "fired").inc()
            late = (self._clock.now() - fired.due_at).total_seconds()
            LATENESS.labels(self._service, fired.kind).observe(late)
        return fired is not None

    async def _seconds_to_next(self) -> float:
        """Return when the next timer is due or a failed one is tried again; it takes one statement."""
        now, machine = self._clock.now(), machine_now()
        [row] = await self._database.fetch(_NEXT, list(self._handlers), now, machine)
        dues = [
            (due - since).total_seconds()
            for due, since in ((row["due"], now), (row["again"], machine))
            if due is not None
        ]
        return min(dues, default=NET)

    async def _put_off(self, failure: TimerFailed) -> None:
        """Let the timer wait; raises where the failure was the machine's and not the timer's."""
        cause = failure.__cause__ or failure
        if is_operational(cause):
            raise cause
        where = where_it_failed(cause)
        log.error(
            "timer.failed",
            kind=failure.timer.kind,
            ref=failure.timer.ref,
            error=where,
            runbook="TimersOverdue",
        )
        await postpone(self._database, failure.timer, error=where)
        TIMERS.labels(self._service, "failed").inc()
