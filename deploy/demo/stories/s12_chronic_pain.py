"""Chronic pain: five disciplines, a meeting whose decision gets an owner, off track, on the agenda, a
revised plan.
"""

from datetime import timedelta

from deploy.demo.acts import change, first_appointment, visit
from deploy.demo.care import activate_plan, plan_of, record_oswestry, record_pain, team_of
from deploy.demo.meeting import agenda_item, hold_meeting
from deploy.demo.story import Story, location_of
from shared.fhir.codes import TaskCode

TITLE = "Chronic pain"


async def play(story: Story) -> None:
    """Refer, treat, see the outcome go off track, and let the team decide."""
    await story.until(0, "09:20")
    referral = location_of(await story.send("family-practice", "12-chronic-pain.json"), "ServiceRequest")
    await story.settled()
    appointment = await first_appointment(story, "family-practice", referral)
    team = await team_of(story, "coordinator", referral)
    story.expect("the team has five disciplines", len(team["participant"]) == 5, len(team["participant"]))

    await visit(story, appointment)
    await record_pain(story, "pain-physician", referral, 7)
    await record_oswestry(story, "physiotherapist", referral, [3, 3, 3, 3, 3, 3, 3, 3, 3, 3])
    plan = await activate_plan(story, "physiatrist", referral)
    active_since = story.clock.now()

    await story.until_moment(active_since + timedelta(weeks=4) - timedelta(hours=2))
    await record_pain(story, "psychologist", referral, 7)
    await story.until_moment(active_since + timedelta(weeks=4) + timedelta(hours=1))
    item = await agenda_item(story, "physiatrist", referral)
    story.note("careteam", "puts the case on the next agenda", "outcome.off-track")
    await hold_meeting(
        story,
        item,
        decision="Graded activity with pacing; psychologist leads for four weeks",
        owner="psychologist",
        task="Start graded activity programme",
    )
    actions = await story.find(
        "psychologist", f"/careteam/fhir/Task?code={TaskCode.ACTION}&owner=Practitioner/psychologist"
    )
    mine = [task for task in actions if referral in str(task)]
    story.expect("the decision is a Task with an owner", len(mine) == 1, len(mine))
    revised = await change(
        story,
        "physiatrist",
        f"/careteam/fhir/CarePlan/{plan['id']}",
        description="Graded activity with pacing, reviewed weekly",
    )
    story.note("physiatrist", "revises the plan", "PUT CarePlan")
    before = int((await plan_of(story, "physiatrist", referral))["meta"]["versionId"])
    story.expect("the plan has a new version", int(revised["meta"]["versionId"]) == before)
    await change(story, "psychologist", f"/careteam/fhir/Task/{mine[0]['id']}", status="accepted")
    await change(story, "psychologist", f"/careteam/fhir/Task/{mine[0]['id']}", status="in-progress")
    await change(story, "psychologist", f"/careteam/fhir/Task/{mine[0]['id']}", status="completed")
    story.note("psychologist", "completes the action", "PUT Task")
