"""The traffic: lanes that play one script after the other, until they are told that it is enough."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import chain, count

import httpx

from deploy.demo.story import StepMissed
from shared.clock import monotonic
from tests.failure.history import History
from tests.failure.places.place import AWAY, Place
from tests.failure.road import GaveUp, Roads
from tests.failure.scripts import PLAYS, STEPS, Desk, Play, cared_for, moved

_PAUSE = 0.3
_LAST_ANSWERS = 120.0
_WARMS_UP_WITHIN = 20


class Traffic:
    """Everybody who uses the clinic; `finish` lets the stories in hand end and asks again what is unknown.

    A story may wait for a service that is away; `steps` lanes give single commands meanwhile.
    """

    def __init__(
        self,
        place: Place,
        *,
        history: History,
        chance: random.Random,
        plays: Mapping[Play, int] = PLAYS,
        lanes: int = 4,
        steps: int = 0,
        pause: float = _PAUSE,
        numbers: Iterator[int] | None = None,
    ) -> None:
        self._chance = chance
        self.history = history
        self._lanes = [dict(plays)] * lanes + [dict.fromkeys(STEPS, 1)] * steps
        self._pause = pause
        self._enough = asyncio.Event()
        self._deadline = float("inf")
        self._numbers = numbers or count(1)
        self._roads = Roads(
            place.url, keys=place.keys, history=history, chance=chance, over=lambda: self._over()
        )
        self.desk = Desk(
            roads=self._roads,
            history=history,
            chance=chance,
            over=lambda: self._over(),
            days_pass=place.days_pass,
            numbers=lambda: next(self._numbers),
        )
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """Open the lanes."""
        self._tasks = [asyncio.create_task(self._lane(plays)) for plays in self._lanes]

    async def finish(self) -> None:
        """Begin no story any more, and wait for those in hand; once more is no harm."""
        self._enough.set()
        self._deadline = monotonic() + _LAST_ANSWERS
        await asyncio.gather(*self._tasks)
        await self._roads.close()

    async def warm_up(self) -> None:
        """Play until an appointment and a patient are there to be worked with; raises AssertionError."""
        for _ in range(_WARMS_UP_WITHIN):
            await asyncio.gather(self._play(moved), self._play(cared_for))
            if self.desk.booked and self.desk.measured:
                return
        raise AssertionError(f"no patient comes into care: {self.history.unfinished[:5]}")

    async def play_all(self) -> None:
        """Play every script once, beside each other."""
        await asyncio.gather(*(self._play(play) for play in dict.fromkeys(chain(*self._lanes))))

    def _over(self) -> bool:
        return monotonic() > self._deadline

    async def _lane(self, plays: Mapping[Play, int]) -> None:
        while not self._enough.is_set():
            [play] = self._chance.choices(list(plays), weights=list(plays.values()))
            await self._play(play)
            await asyncio.sleep(self._chance.uniform(0, self._pause))

    async def _play(self, play: Play) -> None:
        name = play.__name__
        try:
            await play(self.desk)
            self.history.stories[name] += 1
        except GaveUp:
            self.history.stories[f"{name}, given up"] += 1
        except (StepMissed, LookupError, httpx.HTTPError, *AWAY) as missed:
            self.history.stories[f"{name}, not to its end"] += 1
            self.history.unfinished.append(f"{name}: {type(missed).__name__}: {str(missed)[:300]}")


@asynccontextmanager
async def traffic(
    place: Place,
    *,
    history: History,
    seed: int,
    lanes: int = 4,
    steps: int = 0,
    plays: Mapping[Play, int] = PLAYS,
) -> AsyncIterator[Traffic]:
    """Keep the clinic busy for the length of the block, and let every story in hand end after it."""
    chance = random.Random(seed)
    made = Traffic(place, history=history, chance=chance, lanes=lanes, steps=steps, plays=plays)
    made.begin()
    try:
        yield made
    finally:
        await made.finish()
