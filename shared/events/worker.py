"""A service's worker: its relay, its consumer, its timers and its own loops, started and stopped together."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

from shared.clock import monotonic
from shared.context import Context
from shared.db import Transaction
from shared.events import counters, worker_status
from shared.events.inbox.consumer import Consumer
from shared.events.inbox.handler_call import Handlers
from shared.events.inbox.handling import HandlerTable
from shared.events.inbox.held_retry import HeldRetry
from shared.events.inbox.retry_policy import RetryPolicy
from shared.events.outbox.relay import Relay
from shared.events.polling_loop import NET, STANDBY, PollingLoop
from shared.events.retention import Retention
from shared.events.timer_firing import TimerFiring
from shared.events.topic_progress import EVERY, ProgressWriter
from shared.events.transport.base import Subscription
from shared.events.worker_status import LoopsStatus, WorkerStatus
from shared.roster.refresh import RosterRefresh
from shared.runtime import Runtime
from shared.timers import TimerTable

_LAST_STEPS = 5.0
# Seconds for which an answer to when the next work of a loop is due stands.
_ASK_AGAIN_AFTER = 1.0
# Loops that nothing wakes before their time.
_BY_THE_CLOCK = ("retention", "progress", "roster")


OnStart = Callable[[Context, Transaction], Awaitable[None]]


class Loop(Protocol):
    """Work of a service that is neither event nor timer, such as sending e-mail."""

    name: str

    async def run_once(self) -> bool:
        """Do what is due now; return whether anything was done. Called again at once after True, else when
        woken.
        """
        ...

    async def pending(self, now: datetime) -> int:
        """Count what is due at this care time and not done."""
        ...

    async def next_due(self) -> datetime | None:
        """Return when the next work falls due (care time), None where there is none."""
        ...


class Worker:
    """Everything of one service that runs without a request.

    `on_start` is called once in a transaction of its own before anything runs; `retry_policy` says how held
    events are tried again. A `causal` service handles no event before the one that caused it.
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
        retry_policy: RetryPolicy | None = None,
        causal: bool = False,
    ) -> None:
        self.runtime = runtime
        self.service = runtime.service
        self.topics = topics
        self._handlers = Handlers(group=runtime.service, table=handlers, context=self._context, causal=causal)
        self._timers = timers
        self._own_loops = loops
        self._batch = batch
        self._on_start = on_start
        self._retry_policy = retry_policy or RetryPolicy()
        self._subscription: Subscription | None = None
        self._relay: Relay | None = None
        self._consumer: Consumer | None = None
        self.loops: list[PollingLoop] = []
        self._tasks: list[asyncio.Task[None]] = []

    def _context(self, cause: str) -> Context:
        return self.runtime.context(cause=cause)

    async def start(self) -> None:
        """Start the tasks; returns when they run."""
        refresh = RosterRefresh(self.runtime.database, self.runtime.current)
        await refresh.step()
        if self._on_start is not None:
            async with self.runtime.database.transaction() as tx:
                await self._on_start(self._context("start"), tx)
            await refresh.step()
        self.compose()
        self._tasks = [
            asyncio.create_task(loop.run(), name=f"{self.service} {loop.name}") for loop in self.loops
        ]

    async def stop(self) -> None:
        """Let what is in hand finish or roll back, then stop."""
        for loop in self.loops:
            loop.stop()
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
        """Return whether every task runs without failing and it is known who leads the relay."""
        return self.runs() and self.leader_known()

    def runs(self) -> bool:
        """Return whether every task runs and none of them has failed three times in a row."""
        running = bool(self._tasks) and not any(task.done() for task in self._tasks)
        return running and not any(loop.failures > 2 for loop in self.loops)

    def leader_known(self) -> bool:
        """Return whether it is known who leads the relay, this process or another."""
        return self._relay is not None and self._relay.election.known

    async def broker_answers(self) -> bool:
        """Return whether that which carries the events answers now."""
        return await worker_status.answers(self._subscription)

    @property
    def timer_kinds(self) -> frozenset[str]:
        """Name the kinds of timers that this service knows."""
        return frozenset(self._timers)

    def leads(self) -> bool:
        """Return whether the relay of this process is its service's leader."""
        return self._relay is not None and self._relay.election.epoch is not None

    async def has_work(self) -> bool:
        """Return whether the service's tables say that something is to be done at the clock's time.

        What is on its way in the logs, and what its own loops have left, `read_status` alone knows.
        """
        now = self.runtime.clock.now()
        return await worker_status.has_work(self.runtime.database, group=self.service, now=now)

    async def read_status(self) -> WorkerStatus:
        """Read what is left to do, at the clock's time, and since when the oldest of it waits."""
        now = self.runtime.clock.now()
        dues = [due for loop in self._own_loops if (due := await loop.next_due()) is not None and due > now]
        loops = LoopsStatus(
            leads=self.leads(),
            in_hand_age=self._consumer.in_hand_age if self._consumer is not None else 0.0,
            pending=sum([await loop.pending(now) for loop in self._own_loops]),
            next_due=min(dues, default=None),
            failing={loop.name: loop.failures for loop in self.loops},
        )
        return await worker_status.read_status(
            self.runtime.database, self._subscription, group=self.service, now=now, loops=loops
        )

    def compose(self) -> None:
        """Make the loops, without running them."""
        runtime, database = self.runtime, self.runtime.database
        self._relay = Relay(database, runtime.transport)
        counters.expect(self.service, handled_types=self._handlers.table)
        self._subscription = subscription = runtime.transport.subscribe(
            database, group=self.service, topics=self.topics, merged=self._handlers.causal
        )
        self._consumer = consumer = Consumer(
            database,
            subscription,
            self._handlers,
            batch=self._batch,
            retry_policy=self._retry_policy,
            progressed=self._progressed,
        )
        retry = HeldRetry(database, self._handlers, retry_policy=self._retry_policy)
        firing = TimerFiring(
            database, self._timers, clock=runtime.clock, context=self._context, service=self.service
        )
        progress = ProgressWriter(database, subscription, group=self.service)
        relaying = PollingLoop("relay", self._relay.step, pause=self._relay.pause)
        timing = PollingLoop("timers", firing.step, pause=firing.pause)
        self.loops = [
            relaying,
            timing,
            PollingLoop("consumer", consumer.step, pause=subscription.pause, wake=subscription.wake),
            PollingLoop("held", retry.step, pause=retry.pause),
            PollingLoop("retention", Retention(database, service=self.service).step, pause=lambda: 3600),
            RosterRefresh(database, runtime.current).loop(),
            PollingLoop("progress", progress.step, pause=lambda: EVERY),
            *(self._own_loop(loop) for loop in self._own_loops),
        ]
        database.wake_relay = relaying.wake.set
        database.wake_timers = timing.wake.set
        runtime.clock.on_change(self._wake_all)

    def _own_loop(self, loop: Loop) -> PollingLoop:
        clock, remaining, asked_at = self.runtime.clock, NET, float("-inf")

        async def step() -> bool:
            nonlocal remaining, asked_at
            if await loop.run_once():
                return True
            remaining = _ASK_AGAIN_AFTER
            if monotonic() > asked_at + _ASK_AGAIN_AFTER:
                asked_at, due = monotonic(), await loop.next_due()
                remaining = NET if due is None else (due - clock.now()).total_seconds()
            return False

        return PollingLoop(loop.name, step, pause=lambda: min(max(STANDBY, remaining), NET))

    def _progressed(self) -> None:
        """Wake what a handled batch can have made work for; timers are woken by whoever sets one."""
        held = self._consumer is not None and self._consumer.held_some()
        idle = ("relay", "timers", "consumer", *_BY_THE_CLOCK, *(() if held else ("held",)))
        for loop in self.loops:
            if loop.name not in idle:
                loop.wake.set()

    def _wake_all(self) -> None:
        for loop in self.loops:
            if loop.name not in ("relay", *_BY_THE_CLOCK):
                loop.wake.set()
