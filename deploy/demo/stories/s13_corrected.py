"""Sent again under the same identifier with a red flag that was forgotten: an emergency at once."""

from deploy.demo.acts import business_status, expect_told, process_task
from deploy.demo.story import Story, location_of, parameters

TITLE = "A correction"


async def play(story: Story) -> None:
    """Send a routine referral, see it booked, and correct it two hours later."""
    await story.until(3, "09:30")
    referral = location_of(await story.send("family-practice", "13-corrected.json"), "ServiceRequest")
    await story.settled()
    task = await process_task(story, "family-practice", referral)
    story.expect("it is booked", business_status(task) == "booked", business_status(task))

    await story.until(3, "11:30")
    again = location_of(await story.send("family-practice", "13-corrected-red-flag.json"), "ServiceRequest")
    story.expect("the correction is the same referral", again == referral, again)
    await story.settled()
    task = await process_task(story, "family-practice", referral)
    words = task["statusReason"]["text"]
    story.expect("it says what was corrected", "corrected" in words, words)
    story.expect("it says the emergency department", "emergency" in words.lower(), words)
    versions = await story.read("family-practice", f"/referral/fhir/ServiceRequest/{referral}/_history")
    story.expect("what was sent first is kept", versions["total"] == 2, versions["total"])
    await expect_told(story, referral, "referral.redirected-to-emergency", "coordinator", "family-practice")
    await story.act(
        "family-practice",
        "POST",
        f"/referral/fhir/ServiceRequest/{referral}/$acknowledge",
        body=parameters(reason="On the way to the emergency department"),
    )
    story.note("family-practice", "acknowledges the emergency", "$acknowledge")

    await story.until(3, "15:00")
    await story.act(
        "coordinator",
        "POST",
        f"/referral/fhir/ServiceRequest/{referral}/$close",
        body=parameters(reason="Treated in hospital"),
    )
    story.note("coordinator", "closes the referral", "$close")
    await story.settled()
    booked = await story.find(
        "coordinator", f"/scheduling/fhir/Appointment?based-on=ServiceRequest/{referral}&status=booked"
    )
    story.expect("its time is free again", not booked, len(booked))
