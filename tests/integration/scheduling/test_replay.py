"""A clinic's own past, played by every policy."""

from datetime import date, timedelta

import pytest

from deploy.simulate import play
from deploy.simulate.play import Way
from deploy.simulate.replay import NoPast, of_site
from shared.db import Database
from tests.support.booking import BY_PRIORITY, MONDAY, Desk, a_clinic, a_person, local

DAY = timedelta(days=1)
LATER = MONDAY + timedelta(weeks=5)


async def a_past(database: Database) -> Desk:
    """A referral a day for two weeks; the first patient missed a visit."""
    people = [a_person("ana", start="09:00", end="11:00", absences=[(date(2026, 6, 8), date(2026, 6, 9))])]
    desk = Desk(database, a_clinic(people=people, guarantee=BY_PRIORITY))
    first = await desk.accept(due_on=date(2026, 6, 29))
    for number in range(1, 12):
        await desk.at(MONDAY + DAY * number)
        await desk.accept(
            due_on=date(2026, 6, 29) + DAY * number, priority="urgent" if number % 4 else "stat"
        )
        if number == 1:
            await desk.at(local(date(2026, 6, 2), "10:30"))
            await desk.put(await desk.first(first), status="noshow")
    return desk


async def test_holds_the_referrals_as_they_came_and_the_hours_that_there_are(scheduling_db: Database) -> None:
    desk = await a_past(scheduling_db)
    async with scheduling_db.transaction() as tx:
        past = await of_site(tx, desk.clinic, site_id="toronto", weeks=6, now=LATER)
    instance = past.instance
    assert len(instance.referrals) == 12
    assert {one.priority for one in instance.referrals} == {"routine", "urgent", "asap"}
    [ana] = instance.clinicians
    assert ana.slots == (2, 2, 2, 2, 2, 0, 0)
    assert [ana.visits_on(date(2026, 6, day)) for day in (5, 8, 9, 10)] == [2, 0, 0, 2]
    assert [len(tries) for tries in past.hidden.tries.values()] == [1]


@pytest.mark.parametrize("policy", ["earliest", "carve-out", "plan"])
async def test_is_played_to_the_end_by_a_policy_that_learns(scheduling_db: Database, policy: str) -> None:
    desk = await a_past(scheduling_db)
    async with scheduling_db.transaction() as tx:
        past = await of_site(tx, desk.clinic, site_id="toronto", weeks=6, now=LATER)
    way = Way(policy=policy, learns=True)
    played = play.of_instance(past.instance, past.hidden, way=way, terms=past.terms)
    assert played.measures["n"] == 12
    assert all(course.seen_on for course in played.run.courses.values())
    assert sum(course.missed for course in played.run.courses.values()) == 1


async def test_of_a_site_that_there_is_not_or_that_had_no_referral_is_refused(
    scheduling_db: Database,
) -> None:
    desk = Desk(scheduling_db, a_clinic())
    async with scheduling_db.transaction() as tx:
        with pytest.raises(NoPast, match="no site 'ottawa'; allowed are toronto"):
            await of_site(tx, desk.clinic, site_id="ottawa", weeks=4, now=MONDAY)
        with pytest.raises(NoPast, match="accepted no referral in the last 4 weeks"):
            await of_site(tx, desk.clinic, site_id="toronto", weeks=4, now=MONDAY)
