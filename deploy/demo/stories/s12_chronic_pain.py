"""Chronic pain: five disciplines, a meeting whose decision gets an owner, off track, on the agenda, a
revised plan.
"""

from datetime import timedelta

from deploy.demo.acts import change, first_appointment, visit
from deploy.demo.care import activate_plan, plan_of, record_oswestry, record_pain, revise_plan, team_of
from deploy.demo.meeting import agenda_item, decide_at_meeting
from deploy.demo.story import Story, location_of
from shared.fhir.codes import TaskCode

TITLE = "Chronic pain"


async def play(story: Story) -> None:
    """Refer, form the team, let it decide, see the outcome go off track, and let it decide again."""
    await story.until(0, "09:20")
    referral = location_of(await story.send("family-practice", "12-chronic-pain.json"), "ServiceRequest")
    await story.settled()
    appointment = await first_appointment(story, "family-practice", referral)
    team = await team_of(story, "coordinator", referral)
    story.expect("the team has five disciplines", len(team["participant"]) == 5, len(team["participant"]))

    await visit(story, appointment)
    await record_pain(story, "pain-physician", referral, 7)
    await record_oswestry(story, "occupational-therapist", referral, [3] * 10)
    await activate_plan(story, "physiatrist", referral)
    active_since = story.clock.now()
    await _first_meeting(story, referral)

    await story.until_moment(active_since + timedelta(weeks=4) - timedelta(hours=2))
    await record_pain(story, "psychologist", referral, 7)
    await record_oswestry(story, "occupational-therapist", referral, [3] * 10)
    await story.until_moment(active_since + timedelta(weeks=4) + timedelta(hours=1))
    item = await agenda_item(story, "physiatrist", referral)
    story.expect("the reason is the outcome", "off-track" in str(item["reasonCode"]), item["reasonCode"])
    before = await plan_of(story, "physiatrist", referral)
    await decide_at_meeting(story, item, "Pacing first; review in four weeks", revise_plan=True)
    revised = await revise_plan(story, "physiatrist", referral, "Pacing before load, reviewed weekly")
    story.expect(
        "the plan has a new version",
        int(revised["meta"]["versionId"]) > int(before["meta"]["versionId"]),
        revised["meta"]["versionId"],
    )


async def _first_meeting(story: Story, referral: str) -> None:
    item = await agenda_item(story, "physiatrist", referral)
    await decide_at_meeting(
        story,
        item,
        "Graded activity; the psychologist leads for four weeks",
        owner="psychologist",
        task="Start the graded activity programme",
    )
    actions = await story.find(
        "psychologist",
        f"/careteam/fhir/Task?code={TaskCode.ACTION}&owner=Practitioner/psychologist"
        f"&based-on=ServiceRequest/{referral}",
    )
    story.expect("the decision is a Task with an owner", len(actions) == 1, len(actions))
    for status in ("accepted", "in-progress", "completed"):
        await change(story, "psychologist", f"/careteam/fhir/Task/{actions[0]['id']}", status=status)
    story.note("psychologist", "completes the action", "PUT Task")
