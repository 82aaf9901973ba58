"""Under 18: declined, with the rule and the element that it read."""

from deploy.demo.acts import task_stands_at
from deploy.demo.story import Story, location_of

TITLE = "Under 18"


async def play(story: Story) -> None:
    """Refer a seventeen-year-old."""
    await story.until(6, "13:00")
    referral = location_of(await story.send("second-practice", "07-under-eighteen.json"), "ServiceRequest")
    await story.settled()
    task = await task_stands_at(story, "second-practice", referral, "declined")
    story.expect(
        "the reason names the element it read", "Patient.birthDate" in str(task), task["statusReason"]
    )
    story.expect("the reason names the rule", "18" in task["statusReason"]["text"], task["statusReason"])
    booked = await story.find(
        "coordinator", f"/scheduling/fhir/Appointment?based-on=ServiceRequest/{referral}"
    )
    story.expect("nothing was booked", not booked, len(booked))
