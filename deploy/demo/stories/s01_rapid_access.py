"""Public rapid access, routine: accepted, seen inside 28 days, team, plan, outcome, report to the
referrer.
"""

from deploy.demo.acts import business_status, first_appointment, process_task, visit, within_promise
from deploy.demo.care import activate_plan, complete_plan, record_oswestry, record_pain, team_of
from deploy.demo.story import Story, location_of

TITLE = "Rapid access, routine"


async def play(story: Story) -> None:
    """Send the referral, see the patient, follow the plan to its end, and read the report as the referrer."""
    await story.until(0, "09:10")
    sent = story.clock.now()
    referral = location_of(
        await story.send("family-practice", "01-rapid-access-routine.json"), "ServiceRequest"
    )
    await story.settled()
    task = await process_task(story, "family-practice", referral)
    story.expect("the referrer sees it booked", business_status(task) == "booked", business_status(task))
    appointment = await first_appointment(story, "family-practice", referral)
    await within_promise(story, appointment, sent)
    team = await team_of(story, "coordinator", referral)
    story.expect("the team has two disciplines", len(team["participant"]) == 2, len(team["participant"]))

    await visit(story, appointment)
    await record_pain(story, "physiotherapist", referral, 7)
    await record_oswestry(story, "physiotherapist", referral, [3, 2, 3, 2, 3, 2, 2, 2, 2, 3])
    await activate_plan(story, "physiotherapist", referral)

    await story.until(42, "10:00")
    pain = await record_pain(story, "physiotherapist", referral, 2)
    story.expect(
        "pain is better by an important change", "better" in str(pain.get("interpretation", "")).lower()
    )
    await record_oswestry(story, "physiotherapist", referral, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
    await complete_plan(story, "physiotherapist", referral, "Goals reached; self-management agreed")

    task = await process_task(story, "family-practice", referral)
    story.expect("the Task is completed", task["status"] == "completed", task["status"])
    report = task["output"][0]["valueReference"]["reference"]
    composition = await story.read("family-practice", f"/referral/fhir/{report.split('/fhir/')[-1]}")
    story.expect("the referrer reads the report", composition["status"] == "final")
    story.note("family-practice", "reads the report", "GET Composition")
