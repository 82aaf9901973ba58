"""The clinic on its database gives the very days that the simulated one gives."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from deploy.simulate import instance as instances
from deploy.simulate.generate import generate
from deploy.simulate.instance import Hidden, Instance, SimulatedReferral
from deploy.simulate.policies import EveningPlan
from deploy.simulate.rates import LearnedRates
from deploy.simulate.run import SimulatedRun
from services.scheduling import handlers
from services.scheduling.rules.plan_terms import terms_of
from shared.clinic import Clinic
from shared.db import Database
from tests.support.booking import TORONTO, Desk, a_clinic, a_person

DAY = timedelta(days=1)
DAYS = 28
ZONE = ZoneInfo(TORONTO)
NEED = "rehab"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
NOTHING_HAPPENS = Hidden(sick=frozenset(), tries={}, cancels=0, misses=0, miss_slope=0)
GUARANTEE: dict[str, Any] = {
    "priorities": {
        "stat": {"working_days": 1, "at_risk_days": 0},
        "asap": {"days": 5, "at_risk_days": 1, "weight": 20, "reserve": 0.16, "kept_until_days": 1},
        "urgent": {"days": 10, "at_risk_days": 3, "weight": 5, "reserve": 0.26, "kept_until_days": 3},
        "routine": {"days": 28, "at_risk_days": 7, "weight": 1},
    },
    "second_days": 56,
}


def an_instance(seed: int) -> Instance:
    """The physiotherapy of a drawn clinic, its first weeks; a day's notice is enough for everybody."""
    whole, _ = instances.read(generate(seed, load=1.0))
    last = whole.first_day + DAY * DAYS
    sent = [one for one in whole.referrals if one.need == "pt" and one.sent_on < last]
    physiotherapists = [one for one in whole.clinicians if one.takes == ("pt",)]
    return replace(
        whole,
        days=DAYS,
        known=replace(whole.known, needs={NEED: 1.0}),
        clinicians=tuple(replace(one, takes=(NEED,)) for one in physiotherapists),
        referrals=tuple(replace(one, need=NEED, notice=1, never=frozenset()) for one in sent),
    )


def the_clinic(instance: Instance) -> Clinic:
    """Describe the same clinic: an hour a visit, from one o'clock on."""
    people = []
    for one in instance.clinicians:
        person = a_person(one.id, absences=one.leave)
        person["hours"] = [
            {"days": [day], "from": "13:00", "to": f"{13 + visits}:00"}
            for day, visits in zip(WEEKDAYS, one.slots, strict=False)
            if visits
        ]
        people.append(person)
    clinic = a_clinic(
        people=people,
        rooms=4,
        closed=sorted(instance.closed),
        guarantee=GUARANTEE,
        scheduling={"policy": "plan", "at_once_below": 0},
    )
    meeting = clinic.sites[0].meeting.model_copy(update={"start": time(7)})
    return clinic.model_copy(update={"sites": (clinic.sites[0].model_copy(update={"meeting": meeting}),)})


def sent_at(referral: SimulatedReferral) -> datetime:
    wall = time(referral.minute // 60, referral.minute % 60)
    return datetime.combine(referral.sent_on, wall, tzinfo=ZONE)


async def days_of_the_clinic(database: Database, clinic: Clinic, instance: Instance) -> dict[str, date]:
    """Let the clinic hear every referral at its minute, and say which day each was told."""
    begins = datetime.combine(instance.first_day, time(6), tzinfo=ZONE)
    desk = Desk(database, clinic, now=begins)
    async with database.transaction() as tx:
        await handlers.on_start(desk.ctx(), tx)
    known = {}
    for one in instance.referrals:
        await desk.at(sent_at(one))
        away = [{"start": first.isoformat(), "end": last.isoformat()} for first, last in one.away]
        known[one.id] = await desk.accept(due_on=one.due_on, priority=one.priority, unavailable=away)
    await desk.at(begins + DAY * instance.days)
    visits = {id: await desk.first(referral) for id, referral in known.items()}
    return {
        id: visit.starts_at.astimezone(ZONE).date()
        for id, visit in visits.items()
        if visit.starts_at is not None
    }


def days_of_the_simulated_one(clinic: Clinic, instance: Instance) -> dict[str, date]:
    rates = LearnedRates(instance=instance, zone=ZONE)
    policy = EveningPlan(terms=terms_of(clinic), expected=rates)
    run = SimulatedRun(instance, NOTHING_HAPPENS, policy, afterwards=0).play()
    assert policy.failures == []
    return {line.referral: line.visit_on for line in run.trace if line.what == "told"}


async def test_a_clinic_gives_the_very_days_of_the_simulated_one(scheduling_db: Database) -> None:
    instance = an_instance(5)
    clinic = the_clinic(instance)
    told = await days_of_the_clinic(scheduling_db, clinic, instance)
    simulated = days_of_the_simulated_one(clinic, instance)
    assert len(simulated) > 80
    assert len(set(simulated.values())) > 15
    assert told == simulated
