"""An urgent red flag waits for a clinician of the programme's lead discipline, who reads it and decides."""

from deploy.demo.acts import business_status, process_task
from deploy.demo.care import see_first
from deploy.demo.story import Story, location_of, parameters
from shared.fhir.codes import TaskCode

TITLE = "Urgent triage"


async def play(story: Story) -> None:
    """Send signs of infection, let the coordinator try to accept it, and let the physiatrist do so."""
    await story.until(1, "13:00")
    referral = location_of(await story.send("family-practice", "14-urgent.json"), "ServiceRequest")
    await story.settled()
    task = await process_task(story, "coordinator", referral)
    story.expect("it waits for a person", business_status(task) == "awaiting-review", business_status(task))
    story.expect("its priority is asap", task["priority"] == "asap", task["priority"])
    accept = f"/referral/fhir/ServiceRequest/{referral}/$accept"
    refused = await story.act(
        "coordinator", "POST", accept, body=parameters(reason="There is a free time"), status=409
    )
    story.note("coordinator", "may not accept it", "$accept 409")
    story.expect("the refusal names who may", "Adaeze Okafor" in refused.text, refused.text[:200])

    await story.until(1, "14:30")
    work = await story.find(
        "physiatrist",
        f"/referral/fhir/Task?based-on=ServiceRequest/{referral}&code={TaskCode.REVIEW_REFERRAL}",
    )
    story.expect("the physiatrist has a Task", len(work) == 1, len(work))
    request = await story.read("physiatrist", f"/referral/fhir/ServiceRequest/{referral}")
    patient = request["subject"]["reference"]
    answers = await story.find("physiatrist", f"/referral/fhir/QuestionnaireResponse?patient={patient}")
    story.expect("the physiatrist reads the answers", len(answers) == 1, len(answers))
    reason = "Fever was a cold, blood count is normal"
    await story.act("physiatrist", "POST", accept, body=parameters(reason=reason))
    story.note("physiatrist", "reads it and accepts it", "$accept")
    await story.settled()
    task = await process_task(story, "family-practice", referral)
    story.expect("it is accepted and booked", business_status(task) == "booked", business_status(task))
    story.expect("what was overruled stays", "urgent-infection-signs" in str(task["input"]))
    await see_first(story, referral)
