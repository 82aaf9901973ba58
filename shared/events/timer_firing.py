"""The worker's part of timers: fires what is due at the clock's time and lets a failing timer wait."""

from collections.abc import Callable

import structlog

from shared.clock import Clock, machine_now
from shared.context import Context
from shared.db import Database
from shared.events.counters import LATENESS, TIMERS
from shared.events.failures import is_operational, where_it_failed
from shared.timers import TimerFailed, TimerTable, fire_next, postpone

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

    async def step(self) -> bool:
        """Fire the timer that has been due longest; tell whether there was one."""
        if not await self._any_due():
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

    async def _any_due(self) -> bool:
        """Look without a transaction, because mostly there is nothing to do."""
        rows = await self._database.fetch(
            "SELECT EXISTS (SELECT FROM timer WHERE due_at <= $1 AND kind = ANY($2::text[])"
            " AND (machine_next_at IS NULL OR machine_next_at <= $3)) AS due",
            self._clock.now(),
            list(self._handlers),
            machine_now(),
        )
        return bool(rows[0]["due"])

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
