"""Killed between any two steps of an offer, the clinic has done all of it or nothing: a time is held for who
is asked, one of them has it at most, and nobody is told of one that does not stand.

Visits are called off and moved, those who are asked say yes, no or nothing, and the hour of an offer is over
every few seconds. LUMBAR_SEED gives the same chance again; it is printed where the test fails.
"""

import os
import random

import pytest

from services.scheduling.models.timer_kinds import TimerKind
from tests.failure.healing import heal_and_audit
from tests.failure.history import History
from tests.failure.mayhem import die_at, hurried, kill_as_a_whole
from tests.failure.offer_scripts import OFFER_PLAYS
from tests.failure.places.embedded import PROCESS, open_embedded
from tests.failure.traffic import traffic

KILLS, DEATHS = 1, 2
# Between the steps of a command and of a timer, which asks the next or ends what nobody answered.
POINTS = ("key_locked", "after_commit_before_publish", "answered")
POINTS += ("timer_taken", "timer_not_committed", "timer_fired")
SEED = int(os.environ.get("LUMBAR_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)
# At every hour of the day.
OFFERS = {'earliest: "09:00", latest: "20:00"': 'earliest: "00:00", latest: "23:59"'}
_EVERY = 3
_SAID = {"offer.made", "offer.ended", "offer.accepted", "appointment.moved"}


@pytest.mark.timeout(1200)
async def test_an_offer_is_made_answered_and_ended_wholly_or_not_at_all() -> None:
    history, chance = History(), random.Random(SEED)
    async with open_embedded(OFFERS) as place:
        await place.start(PROCESS)
        await place.ready()
        async with (
            hurried(place, TimerKind.ROUND, every=_EVERY),
            traffic(place, history=history, seed=SEED, plays=OFFER_PLAYS) as busy,
        ):
            await busy.play_all()
            for point in chance.sample(POINTS, DEATHS):
                await die_at(place, f"{point}:kill@{chance.randint(1, 6)}", seed=SEED)
            await kill_as_a_whole(place, kills=KILLS, chance=chance)
            while not history.lost:
                await kill_as_a_whole(place, kills=1, chance=chance)
        evidence, findings = await heal_and_audit(place, history)
    assert findings == [], f"seed {SEED}: {findings[:20]}"
    assert {record.type for record in evidence.published["scheduling"]} >= _SAID
    for play in OFFER_PLAYS:
        assert history.stories[play.__name__], f"seed {SEED}: {history.unfinished[:10]}"
