"""Killed at each named point, a process of a cluster loses nothing, doubles nothing, and goes on.

Played by `make faults`, for each process that can reach a point; called by its name, once a point.
"""

import os
import random
from itertools import chain

import pytest

from tests.failure.healing import heal_and_audit
from tests.failure.history import History, Outcome
from tests.failure.places.cluster import Transport, open_cluster
from tests.failure.scripts import BUSY_PLAYS
from tests.failure.traffic import traffic
from tests.failure.walk import short_walk, walk_all, whole_walk

SEED = int(os.environ.get("LUMBAR_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)
WHOLE = os.environ.get("LUMBAR_TEST_POINTS") == "all"


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("transport", ["postgres", "kafka"])
async def test_a_process_that_dies_at_any_point_loses_and_doubles_nothing(transport: Transport) -> None:
    history = History()
    async with open_cluster(transport) as place:
        await place.ready()
        async with traffic(place, history=history, seed=SEED, plays=BUSY_PLAYS, lanes=6) as busy:
            await busy.warm_up()
            chance = random.Random(SEED)
            short = short_walk(place.targets, transport, chance=chance)
            walk = whole_walk(place.targets, transport) if WHOLE else short
            walked = await walk_all(place, walk, chance=chance)
        _, findings = await heal_and_audit(place, history)
    assert (findings, walked.missed) == ([], []), f"seed {SEED}"
    assert len(walked.deaths) == sum(map(len, walk.values()))
    assert {point for _, point in walked.deaths} == set(chain.from_iterable(short.values()))
    assert history.count(Outcome.ACKNOWLEDGED) > (50 if WHOLE else 15)
    assert history.lost > 0
