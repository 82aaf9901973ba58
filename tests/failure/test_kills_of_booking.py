"""Killed between any two steps of a booking by hand, a change of the roster or an evening's plan, the clinic
has done all of it or nothing, and nobody is told what does not stand.

It dies at some of the points between two steps, drawn by chance, and at any moment. LUMBAR_SEED gives the
same chance again; it is printed where the test fails.
"""

import os
import random

import pytest

from services.scheduling.models.timer_kinds import TimerKind
from tests.failure.booking_scripts import BOOKING_PLAYS
from tests.failure.healing import heal_and_audit
from tests.failure.history import History
from tests.failure.mayhem import die_at, hurried, kill_as_a_whole
from tests.failure.places.embedded import PROCESS, open_embedded
from tests.failure.traffic import traffic

KILLS, DEATHS = 1, 2
# Between the steps of a command, and of a timer: the plan of an evening, a planned day, a look at the roster.
POINTS = ("key_locked", "received_not_committed", "after_commit_before_publish", "answered")
POINTS += ("timer_taken", "timer_not_committed", "timer_fired")
SEED = int(os.environ.get("LUMBAR_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)
# Everybody is promised a day that an evening finds, and a hold that nobody books ends soon.
PLANS = {"at_once_below: 0.8": "at_once_below: 0", "hold_minutes: 10": "hold_minutes: 1"}
_HURRIED = (TimerKind.PLAN, TimerKind.TELL, TimerKind.LOOK)
_SAID = {"guarantee.promised", "appointment.booked", "appointment.cancelled", "roster.changed"}


@pytest.mark.timeout(1200)
async def test_a_booking_a_roster_and_a_plan_are_done_wholly_or_not_at_all() -> None:
    history, chance = History(), random.Random(SEED)
    async with open_embedded(PLANS) as place:
        await place.start(PROCESS)
        await place.ready()
        async with (
            hurried(place, *_HURRIED, every=1),
            traffic(place, history=history, seed=SEED, plays=BOOKING_PLAYS) as busy,
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
    for play in BOOKING_PLAYS:
        assert history.stories[play.__name__], f"seed {SEED}: {history.unfinished[:10]}"
