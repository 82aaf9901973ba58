"""Killed between any two steps of a series, the clinic has done all of it or nothing.

An insurer grants courses; people call their sessions off, move them, hand them over, pause, extend and miss
them, while the process dies at some of the points between two steps, drawn by chance, and at any moment.
LUMBAR_SEED gives the same chance again; it is printed where the test fails.
"""

import os
import random

import pytest

from tests.failure.healing import heal_and_audit
from tests.failure.history import History
from tests.failure.mayhem import die_at, kill_as_a_whole
from tests.failure.places.embedded import PROCESS, open_embedded
from tests.failure.series_scripts import PATIENT, SERIES_PLAYS
from tests.failure.traffic import traffic

KILLS, DEATHS = 1, 2
# Between the steps of a command, and of an event: a grant that books or calls off, a referral that ends.
POINTS = ("key_locked", "received_not_committed", "handled_not_committed", "after_commit_before_publish")
POINTS += ("answered",)
SEED = int(os.environ.get("LUMBAR_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)
_SAID = {"series.booked", "appointment.cancelled", "appointment.moved", "appointment.reassigned"}


@pytest.mark.timeout(1200)
async def test_a_series_is_booked_changed_and_called_off_wholly_or_not_at_all() -> None:
    history, chance = History(), random.Random(SEED)
    async with open_embedded() as place:
        await place.start(PROCESS)
        await place.ready()
        async with traffic(place, history=history, seed=SEED, plays=SERIES_PLAYS) as busy:
            await busy.play_all()
            for point in chance.sample(POINTS, DEATHS):
                await die_at(place, f"{point}:kill@{chance.randint(1, 6)}", seed=SEED)
            await kill_as_a_whole(place, kills=KILLS, chance=chance)
            while not history.lost:
                await kill_as_a_whole(place, kills=1, chance=chance)
        evidence, findings = await heal_and_audit(place, history)
    assert findings == [], f"seed {SEED}: {findings[:20]}"
    assert place.mailbox.to(PATIENT), f"seed {SEED}: no patient was written to"
    assert {record.type for record in evidence.published["scheduling"]} >= _SAID
    for play in SERIES_PLAYS:
        assert history.stories[play.__name__], f"seed {SEED}: {history.unfinished[:10]}"
