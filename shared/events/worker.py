"""A service's worker: its relay, its consumer, its timers and its own loops, started and stopped together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.events.handling import HandlerTable
from shared.runtime import Runtime
from shared.timers import TimerTable


class Loop(Protocol):
    """Work of a service that is neither event nor timer, such as sending e-mail."""

    name: str

    async def run_once(self) -> bool:
        """Do what is due now; tell whether anything was done. Called again at once after True, else when
        woken.
        """
        ...

    async def pending(self, now: datetime) -> int:
        """Count what is due at this care time and not done."""
        ...

    async def next_due(self) -> datetime | None:
        """Tell when the next work falls due (care time), None where there is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How much is left to do, for settle, /metrics and readiness; `positions` are the committed offsets."""

    outbox: int
    lag: Mapping[str, int]
    held_retrying: int
    held_dead: int
    timers_due: int
    loops_pending: int
    next_timer: datetime | None
    positions: Mapping[str, int] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        """Nothing is on its way: dead keys wait for a person and do not count."""
        return not (
            self.outbox
            or any(self.lag.values())
            or self.held_retrying
            or self.timers_due
            or self.loops_pending
        )


class Worker:
    """Everything of one service that runs without a request."""

    def __init__(
        self,
        runtime: Runtime,
        *,
        topics: Sequence[str],
        handlers: HandlerTable,
        timers: TimerTable,
        loops: Sequence[Loop] = (),
        batch: int = 200,
    ) -> None:
        raise NotImplementedError

    async def start(self) -> None:
        """Start the tasks; returns when they run."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Let what is in hand finish or roll back, then stop."""
        raise NotImplementedError

    async def figures(self) -> Figures:
        """Read how much is left, at the clock's time."""
        raise NotImplementedError
