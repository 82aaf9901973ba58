"""The clinic is full: at risk is said before the promise breaks; the time that story 9 frees is taken."""

from functools import partial

from deploy.demo.acts import (
    business_status,
    expect_told,
    first_appointment,
    process_task,
    within_promise,
)
from deploy.demo.care import see_first
from deploy.demo.story import Story, location_of

TITLE = "The clinic is full"
FILLERS = ("10-filler-a.json", "10-filler-b.json")


async def play(story: Story) -> None:
    """Fill the programme's first hours, refer once more, and wait for the time that is freed."""
    await story.until(0, "11:00")
    fillers = [location_of(await story.send("family-practice", file), "ServiceRequest") for file in FILLERS]
    await story.settled()
    for filler in fillers:
        await story.meanwhile(partial(see_first, referral=filler))
    await story.until(0, "15:00")
    sent = story.clock.now()
    referral = location_of(await story.send("family-practice", "10-clinic-full.json"), "ServiceRequest")
    await story.settled()
    task = await process_task(story, "family-practice", referral)
    story.expect("it is on the waitlist", business_status(task) == "waitlisted", business_status(task))
    promise = await _guarantee(story, referral)
    story.expect("the promise is said to be at risk", promise["status"] == "at-risk", promise["status"])
    await expect_told(story, referral, "guarantee.at-risk", "coordinator")

    await story.until(3, "16:30")
    appointment = await first_appointment(story, "family-practice", referral)
    await within_promise(story, appointment, sent)
    freed = await story.find(
        "coordinator",
        f"/scheduling/fhir/Appointment?service-type=chronic-pain&status=cancelled&date={appointment['start']}",
    )
    story.expect("it is the time that the revoked referral freed", len(freed) == 1, len(freed))
    await see_first(story, referral)
    promise = await _guarantee(story, referral)
    story.expect("the promise was kept", promise["status"] == "met", promise["status"])


async def _guarantee(story: Story, referral: str) -> dict[str, str]:
    rows = (await story.act("coordinator", "GET", "/scheduling/guarantee?_count=200")).json()["rows"]
    found = [row for row in rows if str(row["referral"]).endswith(referral)]
    story.expect("the guarantee is listed", len(found) == 1, len(found))
    row: dict[str, str] = found[0]
    return row
