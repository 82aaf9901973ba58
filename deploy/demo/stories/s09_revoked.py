"""Revoked by the sender after booking: slot free, everyone told, nothing left pending."""

from deploy.demo.acts import expect_told, first_appointment, process_task
from deploy.demo.care import team_of
from deploy.demo.story import Story, location_of, parameters

TITLE = "Revoked after booking"


async def play(story: Story) -> None:
    """Refer to the chronic pain programme, and revoke when the clinic is full."""
    await story.until(0, "10:00")
    referral = location_of(await story.send("second-practice", "09-revoked.json"), "ServiceRequest")
    await story.settled()
    appointment = await first_appointment(story, "second-practice", referral)

    await story.until(2, "16:00")
    await story.act(
        "second-practice",
        "POST",
        f"/referral/fhir/ServiceRequest/{referral}/$revoke",
        body=parameters(reason="The patient moved to another province"),
    )
    story.note("second-practice", "revokes the referral", "$revoke")
    await story.settled()
    task = await process_task(story, "second-practice", referral)
    story.expect("the Task is cancelled", task["status"] == "cancelled", task["status"])
    after = await story.read("coordinator", f"/scheduling/fhir/Appointment/{appointment['id']}")
    story.expect("the appointment is cancelled", after["status"] == "cancelled", after["status"])
    team = await team_of(story, "coordinator", referral)
    story.expect("the team has ended", team["status"] == "inactive", team["status"])
    members = [str(one["member"]["reference"]).rpartition("/")[2] for one in team["participant"]]
    await expect_told(story, referral, "referral.revoked", "coordinator", "second-practice", *members)
    pending = await story.find(
        "coordinator",
        f"/referral/fhir/Task?based-on=ServiceRequest/{referral}&status=requested,received,in-progress",
    )
    pending += await story.find(
        "coordinator",
        f"/careteam/fhir/Task?based-on=ServiceRequest/{referral}&status=requested,accepted,in-progress",
    )
    pending += await story.find(
        "coordinator",
        f"/scheduling/fhir/Appointment?based-on=ServiceRequest/{referral}&status=proposed,booked,arrived,waitlist",
    )
    story.expect("nothing is left pending", not pending, len(pending))
