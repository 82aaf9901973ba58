"""Two at once: one wins, nothing is made twice."""

import asyncio

from tests.integration.careteam.care import (
    FIVE,
    a_case,
    a_rating,
    active_plan,
    attended,
    chair,
    found,
    next_meeting,
    one,
    post,
    put,
    seen,
    start_of,
)
from tests.integration.careteam.events import a_process_request, a_referral, an_appointment
from tests.support.clinic import TestClinic


async def test_of_ten_who_revise_the_same_version_one_wins(clinic: TestClinic):
    await seen(clinic)
    plan = await active_plan(clinic)
    answers = await asyncio.gather(
        *(put(clinic, plan | {"description": f"Version {number}"}, by="psychologist") for number in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 9
    assert (await one(clinic, "CarePlan"))["meta"]["versionId"] == "3"
    await clinic.settle()
    assert [event.version for event in await clinic.events("plan.revised")] == [2]


async def test_of_ten_first_ratings_one_is_the_baseline(clinic: TestClinic):
    await seen(clinic)
    answers = await asyncio.gather(*(post(clinic, a_rating(5), by="psychologist") for _ in range(10)))
    assert [answer.status_code for answer in answers] == [201] * 10
    baselines = [
        answer for answer in answers if b'"valueBoolean":true' in answer.content.split(b"is-baseline")[1]
    ]
    assert len(baselines) == 1


async def test_of_ten_who_bring_the_same_case_one_does(clinic: TestClinic):
    await seen(clinic)
    answers = await asyncio.gather(*(post(clinic, a_case("Worse"), by="psychologist") for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
    assert len(await found(clinic, "Task?code=agenda-item")) == 1


async def test_a_meeting_opens_once(clinic: TestClinic):
    meeting = await next_meeting(clinic)
    await clinic.at(start_of(meeting))
    answers = await asyncio.gather(*(chair(clinic, meeting, "open", *attended(*FIVE)) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 4


async def test_the_booking_and_the_end_of_a_referral_at_once_leave_no_active_team(clinic: TestClinic):
    for number in range(10):
        referral = f"r{number}"
        await clinic.publish("appointment.booked", focus=an_appointment(referral))
        await clinic.publish(
            "referral.revoked", focus=a_referral(referral), carries=[a_process_request(referral)]
        )
    await clinic.settle()
    assert await found(clinic, "CareTeam?status=active") == []
