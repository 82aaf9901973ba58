"""Killed at each named point, a process of a cluster loses nothing, doubles nothing, and goes on."""

import os
import random

import pytest

from shared.failpoints import POINTS
from tests.failure.healing import heal_and_audit
from tests.failure.history import History, Outcome
from tests.failure.places.cluster import Transport, open_cluster
from tests.failure.scripts import BUSY_PLAYS
from tests.failure.traffic import traffic
from tests.failure.walk import all_points, points_of, walk_all

SEED = int(os.environ.get("LUMBAR_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)


def test_every_point_of_the_table_is_walked_through() -> None:
    assert set(all_points()) == set(POINTS)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("transport", ["postgres", "kafka"])
async def test_a_process_that_dies_at_any_point_loses_and_doubles_nothing(transport: Transport) -> None:
    history = History()
    async with open_cluster(transport) as place:
        await place.ready()
        async with traffic(place, history=history, seed=SEED, plays=BUSY_PLAYS, lanes=6) as busy:
            await busy.warm_up()
            walked = await walk_all(place, chance=random.Random(SEED))
        _, findings = await heal_and_audit(place, history)
        expected = sum(len(points_of(target, transport)) for target in place.targets)
    assert (findings, walked.missed) == ([], []), f"seed {SEED}"
    assert len(walked.deaths) == expected
    assert history.count(Outcome.ACKNOWLEDGED) > 50
    assert history.lost > 0
