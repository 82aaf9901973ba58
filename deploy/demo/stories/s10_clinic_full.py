"""The clinic is full: by when the patient is seen is said at once; an evening finds what story 9 frees."""

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
# Two working days after the referrals a day is told, whenever it is.
_AFTER_THE_EVENING = (3, "18:30")
FILLERS = ("10-filler-a.json", "10-filler-b.json")


async def play(story: Story) -> None:
    """Fill the programme's first hours, refer once more, and wait for the evening after a time is freed."""
    await story.until(0, "11:00")
    fillers = [location_of(await story.send("family-practice", file), "ServiceRequest") for file in FILLERS]
    await story.settled()
    for filler in fillers:
        await story.meanwhile(partial(_see_after_the_evening, referral=filler))
    await story.until(0, "15:00")
    sent = story.clock.now()
    referral = location_of(await story.send("family-practice", "10-clinic-full.json"), "ServiceRequest")
    await story.settled()
    task = await process_task(story, "family-practice", referral)
    waits = business_status(task)
    story.expect("its day follows", waits == "awaiting-booking", waits)
    promise = await _guarantee(story, referral)
    told = task["statusReason"]["text"]
    story.expect("the sender is told by when", promise["due_on"] in told, told)
    await expect_told(story, referral, "guarantee.promised", "family-practice")

    await story.until(*_AFTER_THE_EVENING)
    appointment = await first_appointment(story, "family-practice", referral)
    await within_promise(story, appointment, sent)
    visits = [await first_appointment(story, "coordinator", one) for one in (*fillers, referral)]
    freed = await story.find(
        "coordinator", "/scheduling/fhir/Appointment?service-type=chronic-pain&status=cancelled"
    )
    given = {visit["start"] for visit in visits} & {visit["start"] for visit in freed}
    story.expect("the time that the revoked referral freed is given", len(given) == 1, len(given))
    await _tell_by_telephone(story, referral)
    await see_first(story, referral)
    promise = await _guarantee(story, referral)
    story.expect("the promise was kept", promise["status"] == "met", promise["status"])


async def _tell_by_telephone(story: Story, referral: str) -> None:
    """Tell the patient the day, and tick the Task that asks for it."""
    await story.until(4, "09:00")
    tasks = await story.find(
        "coordinator",
        f"/scheduling/fhir/Task?based-on=ServiceRequest/{referral}&code=tell-patient&status=requested",
    )
    story.expect("the coordinator is asked to tell the patient the day", len(tasks) == 1, len(tasks))
    task = tasks[0]
    await story.act(
        "coordinator",
        "PUT",
        f"/scheduling/fhir/Task/{task['id']}",
        body=task | {"status": "completed"},
        version=int(task["meta"]["versionId"]),
    )
    story.note("coordinator", "tells the patient the day by telephone", "PUT Task")


async def _see_after_the_evening(story: Story, referral: str) -> None:
    await story.until(*_AFTER_THE_EVENING)
    await see_first(story, referral)


async def _guarantee(story: Story, referral: str) -> dict[str, str]:
    rows = (await story.act("coordinator", "GET", "/scheduling/guarantee?_count=200")).json()["rows"]
    found = [row for row in rows if str(row["referral"]).endswith(referral)]
    story.expect("the guarantee is listed", len(found) == 1, len(found))
    row: dict[str, str] = found[0]
    return row
