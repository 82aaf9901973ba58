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
from datetime import datetime

from shared.act import Act
from shared.db import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """One timer that is due: `ref` is the id it was scheduled for, `due_at` its care time in UTC."""

    kind: str
    ref: str
    due_at: datetime


TimerHandler = Callable[[Transaction, Timer, Act], Awaitable[None]]
TimerTable = Mapping[str, TimerHandler]


async def schedule(tx: Transaction, *, kind: str, ref: str, due: datetime) -> None:
    """Set a timer, or move it to a new time; raises ValueError for a naive time."""
    raise NotImplementedError


async def schedule_once(tx: Transaction, *, kind: str, ref: str, due: datetime) -> bool:
    """Set a timer unless it stands already; tell whether it was set."""
    raise NotImplementedError


async def cancel(tx: Transaction, *, kind: str, ref: str) -> None:
    """Remove a timer; nothing happens where there is none."""
    raise NotImplementedError
