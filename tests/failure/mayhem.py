"""Killing processes at random moments, again and again, and starting them again."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field

from shared.clock import monotonic
from tests.failure.places.place import Place

_AMID_START = 0.15


@dataclass(kw_only=True)
class Kills:
    """How often what was killed, and the seconds until it was ready again."""

    by_target: Counter[str] = field(default_factory=Counter)
    recoveries: list[float] = field(default_factory=list)

    def recovery(self, share: float) -> float:
        """Give a quantile of the recoveries in seconds; 0 where there were none."""
        ordered = sorted(self.recoveries)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


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


async def kill_one_by_one(place: Place, *, kills: int, chance: random.Random, pause: float = 1.0) -> Kills:
    """Kill single processes of a cluster, on average one in `pause` seconds, and start each again soon after.

    Several may be dead at once; a process may be killed while it starts.
    """
    done = Kills()
    returning: dict[str, asyncio.Task[float]] = {}
    for _ in range(kills):
        target = chance.choice(
            [one for one in place.targets if one not in returning or returning[one].done()]
        )
        await place.kill(target)
        done.by_target[target] += 1
        if target in returning:
            _note(returning.pop(target), done)
        returning[target] = asyncio.create_task(_return(place, target, after=chance.uniform(0, pause / 2)))
        await asyncio.sleep(chance.uniform(0, 2 * pause))
    for task in returning.values():
        await asyncio.wait([task])
        _note(task, done)
    return done


async def _return(place: Place, target: str, *, after: float) -> float:
    await asyncio.sleep(after)
    begin = monotonic()
    await place.start(target)
    await place.is_back(target)
    return monotonic() - begin


def _note(task: "asyncio.Task[float]", done: Kills) -> None:
    done.recoveries.append(task.result())
