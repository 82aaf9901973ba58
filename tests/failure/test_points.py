"""Killed at named points, each process of a cluster loses nothing, doubles nothing, and goes on.

Each dies at one of its points, drawn by the seed; `make faults` walks all through all of them.
"""

import os
import random
from collections import Counter

import pytest

from tests.failure.healing import heal_and_audit
from tests.failure.history import History, Outcome
from tests.failure.places.cluster import Transport, open_cluster
from tests.failure.traffic import traffic
from tests.failure.walk import points_of, walk_all

MOST = 1
SEED = int(os.environ.get("LUMBAR_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("transport", ["postgres", "kafka"])
async def test_each_service_dies_at_points_of_its_own_and_loses_and_doubles_nothing(
    transport: Transport,
) -> None:
    history = History()
    async with open_cluster(transport) as place:
        await place.ready()
        wanted = {target: min(MOST, len(points_of(target, transport))) for target in place.targets}
        async with traffic(place, history=history, seed=SEED, steps=2) as busy:
            await busy.warm_up()
            walked = await walk_all(place, chance=random.Random(SEED), most=MOST)
        _, findings = await heal_and_audit(place, history)
    assert (findings, walked.missed) == ([], []), f"seed {SEED}"
    assert Counter(target for target, _ in walked.deaths) == +Counter(wanted)
    assert history.count(Outcome.ACKNOWLEDGED) > 20
    assert history.lost > 0
