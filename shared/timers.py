"""Timers: rows that say what is due when, in care time, fired by the worker.

Invariants:
- A timer is (kind, ref), at most one of each; scheduling it again moves it.
- It fires inside one transaction with its effect and is deleted there, so the effect happens once, after
  `due_at`.
- A timer whose handler fails stays, with its error, and is tried again with machine-time backoff; none is
  lost.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared import failpoints
from shared.clock import machine_now
from shared.context import Context
from shared.db import Database, Transaction
from shared.events.envelope import TIMER_CAUSE
from shared.time_limit import AT_MOST, at_most


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """One timer that is due: `ref` is the id it was scheduled for, `due_at` its care time in UTC."""

    kind: str
    ref: str
    due_at: datetime


_SCHEDULE = """
INSERT INTO timer (kind, ref, due_at) VALUES ($1, $2, $3)
ON CONFLICT (kind, ref) DO UPDATE
SET due_at = excluded.due_at, attempts = 0, machine_next_at = NULL, error = ''
"""
_SCHEDULE_ONCE = """
INSERT INTO timer (kind, ref, due_at) VALUES ($1, $2, $3) ON CONFLICT (kind, ref) DO NOTHING
"""
_CANCEL = "DELETE FROM timer WHERE kind = $1 AND ref = $2"
_FAILED = """
UPDATE timer SET attempts = attempts + 1, error = $4 WHERE kind = $1 AND ref = $2 AND due_at = $3
RETURNING attempts
"""
_POSTPONE = "UPDATE timer SET machine_next_at = $3 WHERE kind = $1 AND ref = $2"
_CLAIM = """
SELECT kind, ref, due_at FROM timer WHERE due_at <= $1 AND kind = ANY($2::text[])
AND (machine_next_at IS NULL OR machine_next_at <= $3)
ORDER BY due_at, kind, ref LIMIT 1 FOR UPDATE SKIP LOCKED
"""

TimerHandler = Callable[[Context, Transaction, Timer], Awaitable[None]]
TimerTable = Mapping[str, TimerHandler]

_LONGEST_PAUSE = timedelta(minutes=5)


class TimerFailed(Exception):
    """A timer's handler raised: the timer stays, `__cause__` is what was raised."""

    def __init__(self, timer: Timer) -> None:
        super().__init__(f"timer {timer.kind}/{timer.ref}")
        self.timer = timer


async def schedule(tx: Transaction, *, kind: str, ref: str, due: datetime) -> None:
    """Set a timer, or move it to a new time; raises ValueError for a naive time."""
    await schedule_all(tx, [Timer(kind=kind, ref=ref, due_at=due)])


async def schedule_all(tx: Transaction, timers: Sequence[Timer]) -> None:
    """Set timers, or move them to new times, by one statement; raises ValueError for a naive time."""
    if timers:
        rows = [(timer.kind, timer.ref, _aware(timer.due_at)) for timer in timers]
        await tx.run_many(_SCHEDULE, rows)
        _wake_after(tx)


async def schedule_once(tx: Transaction, *, kind: str, ref: str, due: datetime) -> bool:
    """Set a timer unless it stands already; tell whether it was set."""
    was_set = await tx.run(_SCHEDULE_ONCE, kind, ref, _aware(due)) == 1
    _wake_after(tx)
    return was_set


async def cancel(tx: Transaction, *, kind: str, ref: str) -> None:
    """Remove a timer; nothing happens where there is none."""
    await tx.run(_CANCEL, kind, ref)


async def cancel_all(tx: Transaction, timers: Sequence[tuple[str, str]]) -> None:
    """Remove timers by kind and ref, in one round trip."""
    await tx.run_many(_CANCEL, timers)


async def fire_next(
    database: Database,
    handlers: TimerTable,
    *,
    context: Callable[[str], Context],
    limit: timedelta = AT_MOST,
) -> Timer | None:
    """Fire the timer that has been due longest, effect and removal in one transaction; None if none is due.

    `context` makes the context of a cause, and with it says what time it is. Raises TimerFailed when the
    handler raises, or takes longer than `limit` (machine time); `postpone` then says when it is tried again.
    """
    async with database.transaction() as tx:
        timer = await _claim(tx, tuple(handlers), now=context("timer").at)
        if timer is None:
            return None
        failpoints.reach("timer_taken")
        await cancel(tx, kind=timer.kind, ref=timer.ref)
        ctx = context(f"{TIMER_CAUSE}{timer.kind}/{timer.ref}")
        try:
            async with at_most(limit):
                await handlers[timer.kind](ctx, tx, timer)
        except Exception as error:
            raise TimerFailed(timer) from error
        failpoints.reach("timer_not_committed")
    failpoints.reach("timer_fired")
    return timer


async def postpone(database: Database, timer: Timer, *, error: str) -> None:
    """Let a failed timer stand and say when it is tried again (machine time): 1 s, 2 s, 4 s ... 5 minutes."""
    async with database.transaction() as tx:
        attempts = await tx.value(_FAILED, timer.kind, timer.ref, timer.due_at, error)
        if attempts is None:
            return
        pause = min(timedelta(seconds=2.0 ** min(attempts - 1, 20)), _LONGEST_PAUSE)
        await tx.run(_POSTPONE, timer.kind, timer.ref, machine_now() + pause)


async def _claim(tx: Transaction, kinds: tuple[str, ...], *, now: datetime) -> Timer | None:
    rows = await tx.records(_CLAIM, now, list(kinds), machine_now())
    return Timer(**rows[0]) if rows else None


def _wake_after(tx: Transaction) -> None:
    tx.after_commit("wake timers", lambda: tx.database.wake_timers())


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a timer needs a time with a zone")
    return moment
