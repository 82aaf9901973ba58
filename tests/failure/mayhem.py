"""Killing processes at random moments, again and again, and starting them again."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from shared.clock import monotonic
from tests.failure.places.embedded import PROCESS, Embedded
from tests.failure.places.place import AWAY, Place
from tests.failure.places.time import timers_fall_due

_AMID_START = 0.15
_MOMENT = 0.05
_DIES_WITHIN = 60.0


@dataclass(kw_only=True)
class Kills:
    """How often what was killed, the seconds until it was ready again, and what is dead at the moment."""

    by_target: Counter[str] = field(default_factory=Counter)
    recoveries: list[float] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)


async def kill_as_a_whole(place: Place, *, kills: int, chance: random.Random) -> Kills:
    """Kill a clinic of one process, mostly while it serves, sometimes while it starts."""
    done, [target] = Kills(), place.targets
    for _ in range(kills):
        if chance.random() < _AMID_START:
            await asyncio.sleep(chance.uniform(0.1, 2.0))
        else:
            done.recoveries.append(await place.ready())
            await asyncio.sleep(chance.uniform(0.0, 1.5))
        await place.kill(target)
        await place.start(target)
        done.by_target[target] += 1
    done.recoveries.append(await place.ready())
    return done


async def die_at(place: Embedded, point: str, *, seed: int) -> None:
    """Let the process die at a point, and start it again; raises AssertionError where it is not reached."""
    await place.kill(PROCESS)
    await place.start(PROCESS, failpoint=point)
    process, deadline = place.process.process, monotonic() + _DIES_WITHIN
    assert process is not None
    while process.poll() is None:
        assert monotonic() < deadline, f"{point} was not reached (seed {seed})"
        await asyncio.sleep(_MOMENT)
    await place.start(PROCESS)
    await place.ready()


async def kill_one_by_one(
    place: Place,
    *,
    kills: int,
    chance: random.Random,
    pause: float = 1.0,
    among: Callable[[str], bool] = lambda target: True,
) -> Kills:
    """Kill single processes of a cluster, on average one in `pause` seconds, and start each again soon after.

    Half of them may be away at once. A process is killed again when it was ready, and now and then while it
    starts.
    """
    done = Kills()
    returning: dict[str, asyncio.Task[None]] = {}
    targets = [target for target in place.targets if among(target)]
    while done.by_target.total() < kills:
        coming = {target for target, task in returning.items() if not task.done()}
        target = chance.choice(targets)
        if not _may_die(target, coming, done, of=len(targets), chance=chance):
            await asyncio.sleep(_MOMENT)
            continue
        await place.kill(target)
        done.by_target[target] += 1
        if target in coming:
            await asyncio.wait([returning[target]])
        done.dead.add(target)
        after = chance.uniform(0, pause / 2)
        returning[target] = asyncio.create_task(_return(place, target, done, after=after))
        await asyncio.sleep(chance.uniform(0, 2 * pause))
    await asyncio.gather(*returning.values())
    return done


def _may_die(target: str, coming: set[str], done: Kills, *, of: int, chance: random.Random) -> bool:
    if target in coming:
        return target not in done.dead and chance.random() < _AMID_START
    return len(coming) < max(1, of // 2)


async def _return(place: Place, target: str, done: Kills, *, after: float) -> None:
    """Start a process again, and note how long it took to be ready, unless it was killed meanwhile."""
    await asyncio.sleep(after)
    begin = monotonic()
    await place.start(target)
    done.dead.discard(target)
    if await place.is_back(target):
        done.recoveries.append(monotonic() - begin)


@asynccontextmanager
async def hurried(place: Embedded, *kinds: str, every: float) -> AsyncIterator[None]:
    """Let timers of scheduling fall due every so many seconds, and once more when all is over."""
    hurrying = asyncio.create_task(_hurry(place, kinds, every=every))
    try:
        yield
    finally:
        hurrying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await hurrying
        await _fall_due(place, kinds)


async def _hurry(place: Embedded, kinds: Sequence[str], *, every: float) -> None:
    while True:
        # Whoever is killed or starts at this moment is asked again a little later.
        with contextlib.suppress(*AWAY, AssertionError):
            await _fall_due(place, kinds)
        await asyncio.sleep(every)


async def _fall_due(place: Embedded, kinds: Sequence[str]) -> None:
    await place.ready()
    async with place.databases() as databases:
        await timers_fall_due(databases["scheduling"], *kinds)
