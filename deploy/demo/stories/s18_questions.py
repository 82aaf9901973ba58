"""Questions both ways, another time because the patient cannot come, and a screening that proposes more."""

from datetime import timedelta

from deploy.demo.acts import change, first_appointment, moment, visit
from deploy.demo.care import record_start_back
from deploy.demo.story import Resource, Story, location_of

CANCELLED_BY = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
TITLE = "Questions, and another time"


async def play(story: Story) -> None:
    """Ask and answer, ask for another time, and screen at the first visit."""
    await story.until(4, "09:30")
    referral = location_of(await story.send("family-practice", "18-questions.json"), "ServiceRequest")
    await story.settled()
    await ask(story, "family-practice", referral, "Shall she go on with her walking group?")
    await waits_for(story, "coordinator", referral, "answer-referrer")
    await ask(story, "coordinator", referral, "Yes, as far as it is comfortable.")
    await waits_for(story, "coordinator", referral, "answer-referrer", count=0)

    booked = await first_appointment(story, "family-practice", referral)
    day = moment(booked["start"]).astimezone(story.zone).date()
    last = day + timedelta(days=2)
    await operate(
        story,
        "family-practice",
        referral,
        "request-another-time",
        [
            {"name": "reason", "valueString": "She is away for a family wedding."},
            {"name": "from", "valueDate": day.isoformat()},
            {"name": "to", "valueDate": last.isoformat()},
        ],
    )
    story.note("family-practice", "asks for another time", "POST $request-another-time")
    await story.settled()
    await waits_for(story, "coordinator", referral, "another-time")
    reason = {"coding": [{"system": CANCELLED_BY, "code": "pat"}], "text": "The patient cannot come."}
    await change(
        story,
        "coordinator",
        f"/scheduling/fhir/Appointment/{booked['id']}",
        status="cancelled",
        cancelationReason=reason,
    )
    story.note("coordinator", "calls the visit off", "PUT Appointment")
    await story.settled()
    again = await first_appointment(story, "family-practice", referral)
    on = moment(again["start"]).astimezone(story.zone).date()
    story.expect("the new time is on none of these days", not day <= on <= last, on)
    await ask(story, "coordinator", referral, "There is a new time for her.")
    await waits_for(story, "coordinator", referral, "another-time", count=0)

    await visit(story, again)
    score = await record_start_back(story, "physiotherapist", referral, agreed=6)
    story.expect("a programme is proposed for the risk", "proposed-programme" in str(score))


async def ask(story: Story, party: str, referral: str, text: str) -> None:
    """Say something about the referral to the other side."""
    await operate(story, party, referral, "send-communication", [{"name": "text", "valueString": text}])
    story.note(party, "writes about the referral", "POST $send-communication")
    await story.settled()


async def operate(story: Story, party: str, referral: str, name: str, given: list[Resource]) -> None:
    """Call an operation of a referral."""
    body = {"resourceType": "Parameters", "parameter": given}
    await story.act(party, "POST", f"/referral/fhir/ServiceRequest/{referral}/${name}", body=body)


async def waits_for(story: Story, party: str, referral: str, code: str, *, count: int = 1) -> None:
    """Expect so many open Tasks of a code about the referral."""
    path = f"/referral/fhir/Task?focus=ServiceRequest/{referral}&code={code}&status=requested"
    found = await story.find(party, path)
    story.expect(f"{party} has {count} to do: {code}", len(found) == count, len(found))
