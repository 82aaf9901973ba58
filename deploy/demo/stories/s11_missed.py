"""A missed first appointment, recorded wrongly at first: put right, booked again, the referrer told."""

from deploy.demo.acts import change, expect_told, first_appointment, moment, task_stands_at, visit
from deploy.demo.story import Story, location_of

TITLE = "Missed first appointment"


async def play(story: Story) -> None:
    """Refer, miss the visit, and be booked again."""
    await story.until(9, "09:00")
    referral = location_of(await story.send("second-practice", "11-missed.json"), "ServiceRequest")
    await story.settled()
    missed = await first_appointment(story, "second-practice", referral)
    await story.until_moment(moment(missed["end"]))
    path = f"/scheduling/fhir/Appointment/{missed['id']}"
    await change(story, "coordinator", path, status="arrived")
    await story.settled()
    await correct(story, path, "booked", reason="It was another patient who arrived.")
    await story.settled()
    await task_stands_at(story, "second-practice", referral, "booked")
    await change(story, "coordinator", path, status="noshow")
    story.note("coordinator", "records that the patient did not come", "PUT Appointment")
    await story.settled()
    again = await first_appointment(story, "second-practice", referral)
    story.expect("it is booked again", again["id"] != missed["id"] and again["start"] > missed["start"])
    await task_stands_at(story, "second-practice", referral, "booked")
    await expect_told(story, referral, "appointment.missed", "coordinator", "second-practice")
    await visit(story, again)


async def correct(story: Story, path: str, status: str, *, reason: str) -> None:
    """Put right what was recorded by mistake."""
    given = [{"name": "status", "valueCode": status}, {"name": "reason", "valueString": reason}]
    body = {"resourceType": "Parameters", "parameter": given}
    answer = await story.act("coordinator", "POST", f"{path}/$correct-status", body=body)
    story.note("coordinator", "corrects what was recorded by mistake", "POST $correct-status")
    story.expect("the visit stands as it should", answer.json()["status"] == status)
