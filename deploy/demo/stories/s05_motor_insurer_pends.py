"""Motor-vehicle insurer: pended, then approved; funded sessions are booked only then."""

from functools import partial

from deploy.demo.acts import sessions
from deploy.demo.care import expect_sessions_held, see_first
from deploy.demo.insurer import answer, inquire, work_list
from deploy.demo.story import Story, location_of

TITLE = "Motor insurer pends, then approves"


async def play(story: Story) -> None:
    """Refer, pend, look that nothing is held, approve, and look again."""
    await story.until(4, "09:00")
    referral = location_of(
        await story.send("second-practice", "05-motor-vehicle-insurer.json"), "ServiceRequest"
    )
    await story.settled()
    await story.meanwhile(partial(see_first, referral=referral))
    claim = await work_list(story, "motor-insurer", referral)

    await story.until(6, "10:00")
    await answer(story, "motor-insurer", claim, "A4")
    await story.settled()
    told = await inquire(story, "motor-insurer", claim)
    story.expect("the insurer reads pended", "A4" in told, told[:200])
    held = await sessions(story, referral)
    story.expect("nothing is held while it is pended", not held, len(held))

    await story.until(11, "15:00")
    await answer(story, "motor-insurer", claim, "A1", weeks=12)
    await story.settled()
    booked = await sessions(story, referral)
    story.expect("ten funded sessions are booked now", len(booked) == 10, len(booked))
    await expect_sessions_held(story, referral, count=10)
