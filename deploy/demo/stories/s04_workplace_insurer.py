"""Workplace insurer: authorization requested and approved; a series of twelve sessions inside the grant."""

from functools import partial

from deploy.demo.acts import first_appointment, sessions
from deploy.demo.care import activate_plan, expect_sessions_held, see_first
from deploy.demo.insurer import answer, inquire, work_list
from deploy.demo.story import Story, location_of

TITLE = "Workplace insurer approves"


async def play(story: Story) -> None:
    """Refer, approve as the insurer, and hold the twelve sessions against the grant."""
    await story.until(3, "09:30")
    referral = location_of(await story.send("family-practice", "04-workplace-insurer.json"), "ServiceRequest")
    await story.settled()
    appointment = await first_appointment(story, "coordinator", referral)
    await story.meanwhile(partial(_see_and_plan, referral=referral))
    claim = await work_list(story, "workplace-insurer", referral)

    await story.until(4, "14:00")
    start, end = await answer(story, "workplace-insurer", claim, "A1", weeks=12)
    await story.settled()
    booked = await sessions(story, referral)
    story.expect("twelve sessions are booked", len(booked) == 12, len(booked))
    story.expect("all after the first appointment", all(one["start"] >= appointment["end"] for one in booked))
    inside = all(start <= one["start"][:10] and one["end"][:10] <= end for one in booked)
    story.expect("all inside the granted period", inside)
    told = await inquire(story, "workplace-insurer", claim)
    story.expect("the insurer reads approved", "A1" in told, told[:200])

    await expect_sessions_held(story, referral, count=12)


async def _see_and_plan(story: Story, referral: str) -> None:
    await see_first(story, referral)
    await activate_plan(story, "physiatrist", referral)
