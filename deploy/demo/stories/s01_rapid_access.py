"""Public rapid access, routine: accepted, seen inside 28 days, team, plan, outcome, report to the
referrer.
"""

from deploy.demo.acts import business_status, first_appointment, process_task, visit, within_promise
from deploy.demo.booking import book, book_held, find_times, hold, refused
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

    await book_a_review_and_a_group(story, referral)

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


async def book_a_review_and_a_group(story: Story, referral: str) -> None:
    """Hold and book a review, and a seat in the back school, as the coordinator; what is taken is refused."""
    await story.until(21, "09:00")
    times = await find_times(story, "coordinator", referral, "review", after=story.clock.now())
    review = await book_held(story, "coordinator", await hold(story, "coordinator", times[0]))
    story.expect("a review is booked", review["status"] == "booked", review["status"])
    why = await refused(story, "coordinator", times[0])
    story.expect("the same time is refused, with until when", "has another appointment until" in why, why)
    story.note("coordinator", "is refused a time that is taken", "409 Appointment/$book")

    lessons = await find_times(story, "coordinator", referral, "back-school", after=story.clock.now())
    lesson = await book(story, "coordinator", lessons[0])
    named = [
        one["actor"]["reference"] for one in lesson["participant"] if "Patient/" in one["actor"]["reference"]
    ]
    story.expect("a seat of the group names its own patient alone", len(named) == 1, len(named))
    story.note("coordinator", "books a review, and a place in the back school", "POST Appointment/$book")
    await story.settled()
    for appointment in sorted((review, lesson), key=lambda one: str(one["start"])):
        await visit(story, appointment)
