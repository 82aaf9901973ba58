"""Killed from outside at any moment, `lumbar up` loses nothing that it acknowledged, and repeats nothing.

LUMBAR_SEED gives the same chance again; it is printed where the test fails.
"""

import os
import random

import pytest

from tests.failure.healing import heal_and_audit
from tests.failure.history import History, Outcome
from tests.failure.mayhem import kill_as_a_whole
from tests.failure.places.embedded import PROCESS, open_embedded
from tests.failure.traffic import traffic

KILLS = 4
SEED = int(os.environ.get("LUMBAR_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)


@pytest.mark.timeout(1200)
async def test_nothing_is_lost_and_nothing_happens_twice_when_the_process_is_killed() -> None:
    history = History()
    async with open_embedded() as place:
        await place.start(PROCESS)
        async with traffic(place, history=history, seed=SEED):
            chance = random.Random(SEED)
            await kill_as_a_whole(place, kills=KILLS, chance=chance)
            while not history.lost:
                await kill_as_a_whole(place, kills=1, chance=chance)
        _, findings = await heal_and_audit(place, history)
    assert findings == [], f"seed {SEED}: {findings[:20]}"
    assert history.count(Outcome.ACKNOWLEDGED) >= KILLS // 2
