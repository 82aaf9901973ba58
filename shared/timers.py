"""Timers: rows that say what is due when, in care time, fired by the worker.

Invariants:
- A timer is (kind, ref), at most one of each; scheduling it again moves it.
- It fires inside one transaction with its effect and is deleted there, so the effect happens once, after
  `due_at`.
- A timer whose handler fails stays, with its error, and is tried again with machine-time backoff; none is
  lost.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared import failpoints
from shared.clock import machine_now
from shared.context import Context
from shared.db import Database, Transaction, Write
from shared.time_limit import AT_MOST, at_most


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """One timer that is due: `ref` is the id it was scheduled for, `due_at` its care time in UTC."""

    kind: str
    ref: str
    due_at: datetime


_MOVE = Write.into(
    "timer",
    {"kind": "text", "ref": "text", "due_at": "timestamptz"},
    conflict="ON CONFLICT (kind, ref) DO UPDATE"
    " SET due_at = excluded.due_at, attempts = 0, machine_next_at = NULL, error = ''",
    key=("kind", "ref"),
)

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
    tx.write(_MOVE, kind, ref, _aware(due))
    _wake_after(tx)


async def schedule_once(tx: Transaction, *, kind: str, ref: str, due: datetime) -> bool:
    """Set a timer unless it stands already; tell whether it was set."""
    result = await tx.sql(
        "INSERT INTO timer (kind, ref, due_at) VALUES (:kind, :ref, :due) ON CONFLICT (kind, ref) DO NOTHING",
        kind=kind,
        ref=ref,
        due=_aware(due),
    )
    _wake_after(tx)
    return result.rowcount == 1


async def cancel(tx: Transaction, *, kind: str, ref: str) -> None:
    """Remove a timer; nothing happens where there is none."""
    await tx.sql("DELETE FROM timer WHERE kind = :kind AND ref = :ref", kind=kind, ref=ref)


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
        ctx = context(f"timer/{timer.kind}/{timer.ref}")
        try:
            async with at_most(limit):
                await handlers[timer.kind](ctx, tx, timer)
                await tx.flush()
        except Exception as error:
            raise TimerFailed(timer) from error
        failpoints.reach("timer_not_committed")
    failpoints.reach("timer_fired")
    return timer


async def postpone(database: Database, timer: Timer, *, error: str) -> None:
    """Let a failed timer stand and say when it is tried again (machine time): 1 s, 2 s, 4 s ... 5 minutes."""
    async with database.transaction() as tx:
        attempts = (
            await tx.sql(
                "UPDATE timer SET attempts = attempts + 1, error = :error"
                " WHERE kind = :kind AND ref = :ref AND due_at = :due RETURNING attempts",
                kind=timer.kind,
                ref=timer.ref,
                due=timer.due_at,
                error=error,
            )
        ).scalar()
        if attempts is None:
            return
        pause = min(timedelta(seconds=2.0 ** min(attempts - 1, 20)), _LONGEST_PAUSE)
        await tx.sql(
            "UPDATE timer SET machine_next_at = :next WHERE kind = :kind AND ref = :ref",
            kind=timer.kind,
            ref=timer.ref,
            next=machine_now() + pause,
        )


async def _claim(tx: Transaction, kinds: tuple[str, ...], *, now: datetime) -> Timer | None:
    row = (
        await tx.sql(
            "SELECT kind, ref, due_at FROM timer WHERE due_at <= :now AND kind = ANY(:kinds)"
            " AND (machine_next_at IS NULL OR machine_next_at <= :machine)"
            " ORDER BY due_at, kind, ref LIMIT 1 FOR UPDATE SKIP LOCKED",
            now=now,
            kinds=list(kinds),
            machine=machine_now(),
        )
    ).first()
    return None if row is None else Timer(kind=row.kind, ref=row.ref, due_at=row.due_at)


def _wake_after(tx: Transaction) -> None:
    tx.after_commit("wake timers", lambda: tx.database.wake_timers())


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a timer needs a time with a zone")
    return moment
