"""A service's worker: its relay, its consumer, its timers and its own loops, started and stopped together."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.act import Act, Actor
from shared.db import Transaction
from shared.events import backlog, counters
from shared.events.backlog import Backlog
from shared.events.consumer import Consumer
from shared.events.handler_call import Handlers
from shared.events.handling import HandlerTable
from shared.events.held_retry import HeldRetry
from shared.events.patience import Patience
from shared.events.relay import Relay
from shared.events.retention import Retention
from shared.events.standing import Standing, held_by_state, lag_of, oldest
from shared.events.timer_firing import TimerFiring
from shared.events.transport import Extent, Known, Subscription
from shared.events.wake import Repetition
from shared.runtime import Runtime
from shared.timers import TimerTable

_LAST_STEPS = 5.0


OnStart = Callable[[Transaction, Act], Awaitable[None]]


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
    """How much is left to do, for settle, /metrics and readiness.

    `positions` are the committed offsets of what is read, `ends` the log ends of what is read or published.
    """

    outbox: int
    lag: Mapping[str, int]
    held_retrying: int
    held_dead: int
    timers_due: int
    loops_pending: int
    next_timer: datetime | None
    positions: Mapping[str, int] = field(default_factory=dict)
    ends: Mapping[str, int] = field(default_factory=dict)

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
    """Everything of one service that runs without a request.

    `on_start` is called once in a transaction of its own before anything runs; `patience` says how held
    events are tried again.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        topics: Sequence[str],
        handlers: HandlerTable,
        timers: TimerTable,
        loops: Sequence[Loop] = (),
        batch: int = 200,
        on_start: OnStart | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.runtime = runtime
        self.service = runtime.service
        self._topics = topics
        self._handlers = Handlers(group=runtime.service, table=handlers, clock=runtime.clock)
        self._timers = timers
        self._loops = loops
        self._batch = batch
        self._on_start = on_start
        self._patience = patience or Patience()
        self._subscription: Subscription | None = None
        self._relay: Relay | None = None
        self._consumer: Consumer | None = None
        self._repetitions: list[Repetition] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start the tasks; returns when they run."""
        if self._on_start is not None:
            async with self.runtime.database.transaction() as tx:
                act = Act(at=self.runtime.clock.now(), actor=Actor.service(self.service), cause="start")
                await self._on_start(tx, act)
        self._compose()
        self._tasks = [
            asyncio.create_task(repetition.run(), name=f"{self.service} {repetition.name}")
            for repetition in self._repetitions
        ]

    async def stop(self) -> None:
        """Let what is in hand finish or roll back, then stop."""
        for repetition in self._repetitions:
            repetition.stop()
        tasks, self._tasks = self._tasks, []
        if tasks:
            _, unfinished = await asyncio.wait(tasks, timeout=_LAST_STEPS)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._relay is not None:
            with contextlib.suppress(OSError):
                await self._relay.stop()
        if self._subscription is not None:
            await self._subscription.close()

    def healthy(self) -> bool:
        """Tell whether every task runs without failing and it is known who leads the relay."""
        return self.runs() and self.leader_known()

    def runs(self) -> bool:
        """Tell whether every task runs and none of them has failed three times in a row."""
        running = bool(self._tasks) and not any(task.done() for task in self._tasks)
        return running and not any(repetition.failures > 2 for repetition in self._repetitions)

    def leader_known(self) -> bool:
        """Tell whether it is known who leads the relay, this process or another."""
        return self._relay is not None and self._relay.leadership.known

    async def broker_answers(self) -> bool:
        """Tell whether that which carries the events answers now."""
        return await lag_of(self._subscription) is not None

    @property
    def timer_kinds(self) -> frozenset[str]:
        """Name the kinds of timers that this service knows."""
        return frozenset(self._timers)

    def leads(self) -> bool:
        """Tell whether the relay of this process is its service's leader."""
        return self._relay is not None and self._relay.leadership.epoch is not None

    async def glance(self) -> Backlog:
        """Read what stands in this service's own database, in one statement."""
        return await backlog.read(self.runtime.database, group=self.service, now=self.runtime.clock.now())

    async def figures(
        self, *, glance: Backlog | None = None, extents: Mapping[str, Extent] | None = None
    ) -> Figures:
        """Read how much is left, at the clock's time; what the caller has just read is not read again."""
        now = self.runtime.clock.now()
        found = glance or await self.glance()
        known = Known(positions=found.positions, extents=extents or found.extents)
        reached = await self._subscription.reached(known=known) if self._subscription is not None else {}
        loops_pending = sum([await loop.pending(now) for loop in self._loops])
        dues = [await loop.next_due() for loop in self._loops]
        later = [due for due in (*dues, found.next_timer) if due is not None and due > now]
        return Figures(
            outbox=found.outbox,
            lag={topic: of.lag for topic, of in reached.items()},
            held_retrying=found.held_retrying,
            held_dead=found.held_dead,
            timers_due=found.timers_due,
            loops_pending=loops_pending,
            next_timer=min(later, default=None),
            positions={topic: of.position for topic, of in reached.items()},
            ends={topic: extent.end for topic, extent in found.extents.items()}
            | {topic: of.end for topic, of in reached.items()},
        )

    async def standing(self) -> Standing:
        """Read what is left to do and since when the oldest of it waits."""
        found = await self.glance()
        since = await oldest(self.runtime.database, group=self.service, now=self.runtime.clock.now())
        return Standing(
            outbox=found.outbox,
            outbox_age=since.outbox,
            leads=self.leads(),
            lag=await lag_of(self._subscription, found),
            in_hand_age=self._consumer.in_hand_age if self._consumer is not None else 0.0,
            held=held_by_state(retrying=found.held_retrying, dead=found.held_dead, since=since),
            timers_due=found.timers_due,
            timers_late=since.timer,
            failing={one.name: one.failures for one in self._repetitions},
        )

    def _compose(self) -> None:
        runtime, database = self.runtime, self.runtime.database
        self._relay = Relay(database, runtime.transport)
        counters.expect(self.service, heard=self._handlers.table)
        self._subscription = runtime.transport.subscribe(database, group=self.service, topics=self._topics)
        self._consumer = consumer = Consumer(
            database,
            self._subscription,
            self._handlers,
            batch=self._batch,
            patience=self._patience,
            progressed=self._progressed,
        )
        retry = HeldRetry(database, self._handlers, patience=self._patience)
        firing = TimerFiring(database, self._timers, clock=runtime.clock, service=self.service)
        relaying, timing = Repetition("relay", self._relay.step), Repetition("timers", firing.step)
        self._repetitions = [
            relaying,
            timing,
            Repetition("consumer", consumer.step),
            Repetition("held", retry.step),
            Repetition("retention", Retention(database, service=self.service).step, poll=3600),
            *(Repetition(loop.name, loop.run_once) for loop in self._loops),
        ]
        database.wake_relay = relaying.wake.set
        database.wake_timers = timing.wake.set
        runtime.clock.on_change(self._wake_all)

    def _progressed(self) -> None:
        """Wake what a handled batch can have made work for; timers are woken by whoever sets one."""
        held = self._consumer is not None and self._consumer.held_some()
        idle = ("relay", "timers", "consumer", "retention", *(() if held else ("held",)))
        for repetition in self._repetitions:
            if repetition.name not in idle:
                repetition.wake.set()

    def _wake_all(self) -> None:
        for repetition in self._repetitions:
            if repetition.name not in ("relay", "retention"):
                repetition.wake.set()
