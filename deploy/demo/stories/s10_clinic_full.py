"""The clinic is full: by when the patient is seen is said at once; an evening finds what story 9 frees."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from deploy.demo.acts import (
    business_status,
    change,
    expect_told,
    first_appointment,
    moment,
    process_task,
    within_promise,
)
from deploy.demo.care import see_first
from deploy.demo.promises import guarantee_of, tell_by_telephone
from deploy.demo.story import Story, location_of

TITLE = "The clinic is full"
# Two working days after the referrals a day is told, whenever it is: on one of these mornings it is known.
_MORNINGS = range(4, 9)
FILLERS = ("10-filler-a.json", "10-filler-b.json")


async def play(story: Story) -> None:
    """Fill the programme's first hours, refer once more, and wait for the evening after a time is freed."""
    await story.until(0, "11:00")
    fillers = [location_of(await story.send("family-practice", file), "ServiceRequest") for file in FILLERS]
    await story.settled()
    await story.until(0, "15:00")
    sent = story.clock.now()
    referral = location_of(await story.send("family-practice", "10-clinic-full.json"), "ServiceRequest")
    await story.settled()
    task = await process_task(story, "family-practice", referral)
    waits = business_status(task)
    story.expect("its day follows", waits == "awaiting-booking", waits)
    promise = await guarantee_of(story, referral)
    told = task["statusReason"]["text"]
    story.expect("the sender is told by when", promise["due_on"] in told, told)
    await expect_told(story, referral, "guarantee.promised", "family-practice")

    await _until_told(story, (*fillers, referral))
    for one in (*fillers, referral):
        await _in_time(story, one)
    appointment = await first_appointment(story, "family-practice", referral)
    await within_promise(story, appointment, sent)
    visits = [await first_appointment(story, "coordinator", one) for one in (*fillers, referral)]
    freed = await story.find(
        "coordinator", "/scheduling/fhir/Appointment?service-type=chronic-pain&status=cancelled"
    )
    given = {visit["start"] for visit in visits} & {visit["start"] for visit in freed}
    story.expect("the time that the revoked referral freed is given", len(given) == 1, len(given))
    for filler in fillers:
        await story.meanwhile(partial(see_first, referral=filler))
    await tell_by_telephone(story, referral)
    await see_first(story, referral)
    promise = await guarantee_of(story, referral)
    story.expect("the promise was kept", promise["status"] == "met", promise["status"])


async def _until_told(story: Story, referrals: Sequence[str]) -> None:
    """Wait for the morning on which all of them know their day."""
    for morning in _MORNINGS:
        await story.until(morning, "09:00")
        waiting = [
            (await guarantee_of(story, one))["first_appointment"]["start"] is None for one in referrals
        ]
        if not any(waiting):
            return
    story.expect("everybody is told a day", False, waiting.count(True))


async def _in_time(story: Story, referral: str) -> None:
    """Give a patient whom the plan had to put off the time in the promise that the board offers."""
    promise = await guarantee_of(story, referral)
    if promise["status"] == "at-risk":
        await expect_told(story, referral, "guarantee.at-risk", "coordinator")
        remedy = promise["remedies"][0]
        path = f"/scheduling/fhir/Appointment/{remedy['url'].rpartition('/')[2]}"
        visit = await story.read("coordinator", path)
        end = moment(remedy["time"]) + timedelta(minutes=visit["minutesDuration"])
        await change(story, "coordinator", path, start=remedy["time"], end=end.isoformat())
        story.note("coordinator", "moves the visit into the promise", "PUT Appointment")
        await story.settled()
        promise = await guarantee_of(story, referral)
    story.expect("nobody's promise is at risk", promise["status"] == "on-track", promise["status"])
