"""Suspected cauda equina: never queued, sent to the emergency department, escalated until acknowledged."""

from deploy.demo.acts import business_status, process_task, told
from deploy.demo.story import Story, location_of, parameters
from shared.fhir.codes import TaskCode

TITLE = "Suspected cauda equina"


async def play(story: Story) -> None:
    """Send an emergency, let the referrer be silent for half an hour, then acknowledge."""
    await story.until(1, "10:00")
    referral = location_of(await story.send("family-practice", "02-cauda-equina.json"), "ServiceRequest")
    await story.settled()
    task = await process_task(story, "family-practice", referral)
    story.expect("the Task is rejected", task["status"] == "rejected", task["status"])
    story.expect(
        "it says the emergency department",
        "emergency" in task["statusReason"]["text"].lower(),
        task["statusReason"],
    )
    booked = await story.find(
        "coordinator", f"/scheduling/fhir/Appointment?based-on=ServiceRequest/{referral}"
    )
    story.expect("it was never queued", not booked, len(booked))

    await story.until(1, "10:35")
    calls = await story.find(
        "coordinator",
        f"/referral/fhir/Task?code={TaskCode.TELEPHONE_REFERRER}&based-on=ServiceRequest/{referral}",
    )
    story.expect("the coordinator has a Task to telephone", len(calls) >= 1, len(calls))
    warned = (await told(story, referral, "referral.emergency-escalated")).count("coordinator")
    story.expect("the coordinator was told every quarter of an hour", warned == 2, warned)
    await story.act(
        "family-practice",
        "POST",
        f"/referral/fhir/ServiceRequest/{referral}/$acknowledge",
        body=parameters(reason="Patient sent to the emergency department by ambulance"),
    )
    story.note("family-practice", "acknowledges the emergency", "$acknowledge")
    await story.settled()
    task = await process_task(story, "family-practice", referral)
    story.expect(
        "the acknowledgement stands", business_status(task) == "emergency-acknowledged", business_status(task)
    )
    await story.until(1, "12:00")
    later = await story.find(
        "coordinator",
        f"/referral/fhir/Task?code={TaskCode.TELEPHONE_REFERRER}&based-on=ServiceRequest/{referral}&status=requested",
    )
    story.expect("nobody is asked to telephone any more", not later, len(later))
    warned = (await told(story, referral, "referral.emergency-escalated")).count("coordinator")
    story.expect("nobody was told again after that", warned == 2, warned)
