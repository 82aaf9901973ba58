"""Sent again after a lost answer: the first answer. Sent again with new ids: stored, not booked, merged."""

from functools import partial

from deploy.demo.acts import business_status, process_task
from deploy.demo.bundles import example
from deploy.demo.care import see_first
from deploy.demo.story import Story, location_of, parameters

TITLE = "Sent again"


async def play(story: Story) -> None:
    """Send one referral three times, the third time with new ids, and merge it as the coordinator."""
    await story.until(7, "09:00")
    body = example("08-sent-once.json", at=story.clock.now())
    first = location_of(
        await story.act("family-practice", "POST", "/referral/fhir", body=body), "ServiceRequest"
    )
    story.referrals.add(first)
    story.note("family-practice", "sends a referral; its answer gets lost", "POST 08-sent-once.json")
    await story.settled()
    again = location_of(
        await story.act("family-practice", "POST", "/referral/fhir", body=body), "ServiceRequest"
    )
    story.note("family-practice", "sends the same again", "POST 08-sent-once.json")
    story.expect("the same referral gets the first answer again", again == first, again)
    await story.meanwhile(partial(see_first, referral=first))

    await story.until(8, "09:00")
    other = location_of(await story.send("family-practice", "08-sent-with-new-ids.json"), "ServiceRequest")
    await story.settled()
    task = await process_task(story, "coordinator", other)
    story.expect(
        "a duplicate is suspected", business_status(task) == "duplicate-suspected", business_status(task)
    )
    booked = await story.find("coordinator", f"/scheduling/fhir/Appointment?based-on=ServiceRequest/{other}")
    story.expect("the second is stored, not booked", not booked, len(booked))

    await story.until(8, "11:30")
    await story.act(
        "coordinator",
        "POST",
        f"/referral/fhir/ServiceRequest/{other}/$merge",
        body=parameters(into={"reference": f"ServiceRequest/{first}"}, reason="Same request, sent twice"),
    )
    story.note("coordinator", "merges the duplicate", "$merge")
    await story.settled()
    stays = await story.read("family-practice", f"/referral/fhir/ServiceRequest/{first}")
    merged = await story.read("family-practice", f"/referral/fhir/ServiceRequest/{other}")
    values = {one["value"] for one in stays["identifier"]}
    wanted = {one["value"] for one in merged["identifier"]}
    story.expect("its identifiers stay on the first", wanted <= values, sorted(values))
