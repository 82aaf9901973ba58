"""Twelve weeks in seconds: a discrete-event run over the timers of the clinic and the steps of the stories.

Invariants:
- Time moves only to the earliest of the next timer and the next step, and only when everything is settled.
- One script runs at a time, until it waits again or ends; so a run is the same whatever the machine's speed.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from itertools import count

from shared.clock import SimulatedClock


class Script:
    """One story's script: it waits for moments and runs in between."""

    def __init__(self, timetable: "Timetable", name: str) -> None:
        self._timetable = timetable
        self._parked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.name = name

    async def until(self, moment: datetime) -> None:
        """Wait for this care time; a moment that has passed means: once everything now is settled."""
        released = self._timetable.enter(self, moment)
        self._parked.set()
        await released

    def begin(self, play: Coroutine[None, None, None]) -> None:
        """Start the script; it runs until its first wait when the timetable runs."""
        self._task = asyncio.create_task(play, name=self.name)

    async def rest(self) -> None:
        """Return when the script waits or has ended; raises what the script raised."""
        if self._task is None:
            return
        parked = asyncio.create_task(self._parked.wait())
        await asyncio.wait({parked, self._task}, return_when=asyncio.FIRST_COMPLETED)
        parked.cancel()
        if self._task.done():
            self._task.result()

    def beside(self, name: str) -> "Script":
        """Make another script of the same timetable."""
        return self._timetable.script(name)

    def go_on(self) -> None:
        """Say that the script runs again."""
        self._parked.clear()


class Timetable:
    """The clock, what is due, and the scripts that wait."""

    def __init__(
        self,
        clock: SimulatedClock,
        *,
        settle: Callable[[], Awaitable[datetime | None]],
        progress: Callable[[datetime], None],
    ) -> None:
        self._clock = clock
        self._until_settled = settle
        self._next_timer: datetime | None = None
        self._progress = progress
        self._order = count()
        self._waiting: list[tuple[datetime, int, Script, asyncio.Future[None]]] = []
        self._scripts: list[Script] = []

    def script(self, name: str) -> Script:
        """Make a script of this timetable."""
        script = Script(self, name)
        self._scripts.append(script)
        return script

    async def run(self, *, end: datetime) -> None:
        """Run timers and scripts up to `end`, and leave the clock there, settled."""
        for script in self._scripts:
            await script.rest()
        await self._settle()
        while (moment := self._next_moment()) is not None and moment <= end:
            if moment > self._clock.now():
                self._clock.set(moment)
                await self._settle()
            await self._release()
            self._progress(self._clock.now())
        self._clock.set(end)
        await self._settle()

    def unfinished(self) -> list[str]:
        """Name the scripts that still wait for a moment after the end."""
        return [script.name for _, _, script, _ in self._waiting]

    def enter(self, script: Script, moment: datetime) -> asyncio.Future[None]:
        """Let a script wait for a care time; the future is done when the clock has come there."""
        released: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (moment, next(self._order), script, released))
        return released

    async def _settle(self) -> None:
        self._next_timer = await self._until_settled()

    def _next_moment(self) -> datetime | None:
        moments = [moment for moment, *_ in self._waiting[:1]]
        return min([*moments, *([self._next_timer] if self._next_timer else [])], default=None)

    async def _release(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._clock.now():
            _, _, script, released = heapq.heappop(self._waiting)
            script.go_on()
            released.set_result(None)
            await script.rest()
            await self._settle()
