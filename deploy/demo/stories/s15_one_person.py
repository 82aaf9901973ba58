"""Two practices refer one person, one misspells the name: nobody waits, a coordinator merges the records."""

from deploy.demo.acts import business_status, process_task
from deploy.demo.care import see_first
from deploy.demo.story import Resource, Story, location_of, parameters
from shared.fhir.codes import TaskCode

TITLE = "One person, two practices"


async def play(story: Story) -> None:
    """Send the person twice, merge the two records, and close the second referral."""
    await story.until(5, "10:00")
    answer = await story.send("family-practice", "15-one-person.json")
    first, patient = (location_of(answer, kind) for kind in ("ServiceRequest", "Patient"))
    await story.until(6, "10:00")
    answer = await story.send("second-practice", "15-one-person-misspelt.json")
    second, other = (location_of(answer, kind) for kind in ("ServiceRequest", "Patient"))
    story.expect("another name on the card is a person of their own", other != patient)
    await story.settled()
    task = await process_task(story, "second-practice", second)
    story.expect("who is not kept waiting", business_status(task) == "booked", business_status(task))
    story.expect("the sender learns nothing of the first", patient not in str(task))
    [doubt] = await _work(story, TaskCode.RESOLVE_IDENTITY, second)
    named = doubt["input"][0]["valueReference"]["reference"]
    story.expect("the coordinator's Task names the first", named == f"Patient/{patient}", named)

    await story.until(6, "11:00")
    await story.act(
        "coordinator",
        "POST",
        f"/referral/fhir/Patient/{other}/$merge",
        body=parameters(into={"reference": f"Patient/{patient}"}, reason="Telephoned: the name was misspelt"),
    )
    story.note("coordinator", "merges the two records", "Patient/$merge")
    await story.settled()
    [offer] = await _work(story, TaskCode.UPDATE_PATIENT, second)
    telephone = offer["contained"][0]["telecom"][0]["value"]
    story.expect("the new telephone is offered", telephone.endswith("7740"), telephone)
    story.expect("two referrals are a Task", bool(await _work(story, TaskCode.MERGE_DUPLICATE, second)))
    own = await story.read("second-practice", f"/referral/fhir/Patient/{other}")
    story.expect(
        "the sender reads what it sent", own["name"][0]["family"] == "Delacrois" and "link" not in own
    )
    await story.act(
        "coordinator",
        "POST",
        f"/referral/fhir/ServiceRequest/{second}/$close",
        body=parameters(reason="The same need was referred by another practice"),
    )
    story.note("coordinator", "closes the second referral", "$close")
    await story.settled()
    booked = await story.find(
        "coordinator", f"/scheduling/fhir/Appointment?based-on=ServiceRequest/{second}&status=booked"
    )
    story.expect("its time is free again", not booked, len(booked))
    await see_first(story, first)


async def _work(story: Story, code: TaskCode, referral: str) -> list[Resource]:
    path = f"/referral/fhir/Task?based-on=ServiceRequest/{referral}&code={code}&status=requested"
    return await story.find("coordinator", path)
