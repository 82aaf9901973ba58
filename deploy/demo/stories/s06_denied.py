"""Denied: referrer and coordinator are told with the reason; no funded session stands."""

from functools import partial

from deploy.demo.acts import expect_told, process_task, sessions
from deploy.demo.care import seen_if_it_stands
from deploy.demo.insurer import REASON, answer, work_list
from deploy.demo.story import Story, location_of, parameters
from shared.fhir.codes import TaskCode

TITLE = "Insurer denies"


async def play(story: Story) -> None:
    """Refer, deny as the insurer, and close as the coordinator."""
    await story.until(5, "09:40")
    referral = location_of(await story.send("family-practice", "06-denied.json"), "ServiceRequest")
    await story.settled()
    await story.meanwhile(partial(seen_if_it_stands, referral=referral))
    claim = await work_list(story, "motor-insurer", referral)

    await story.until(8, "11:00")
    await answer(story, "motor-insurer", claim, "A3")
    await story.settled()
    task = await process_task(story, "family-practice", referral)
    story.expect(
        "the referrer reads the reason", REASON in str(task.get("statusReason")), task.get("statusReason")
    )
    work = await story.find(
        "coordinator",
        f"/referral/fhir/Task?code={TaskCode.RESOLVE_DENIAL}&based-on=ServiceRequest/{referral}&status=requested",
    )
    story.expect(
        "the coordinator has a Task with the reason", len(work) == 1 and REASON in str(work[0]), len(work)
    )
    await expect_told(story, referral, "authorization.decided", "coordinator", "family-practice")
    story.expect("no funded session stands", not await sessions(story, referral))

    await story.until(8, "16:30")
    await story.act(
        "coordinator",
        "POST",
        f"/referral/fhir/ServiceRequest/{referral}/$close",
        body=parameters(reason="Funding denied and the patient chose care near home"),
    )
    story.note("coordinator", "closes the referral after the denial", "$close")
    await story.settled()
    left = await story.find(
        "coordinator", f"/scheduling/fhir/Appointment?based-on=ServiceRequest/{referral}&status=booked"
    )
    story.expect("nothing stays booked", not left, len(left))
