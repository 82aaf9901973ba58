"""Acts of a case meeting: the agenda, opening, deciding, closing, signing."""

from deploy.demo.acts import moment
from deploy.demo.story import Resource, StepMissed, Story
from shared.fhir.codes import TaskCode


async def agenda_item(story: Story, party: str, referral: str) -> Resource:
    """Find the referral's open case on the next agenda."""
    tasks = await story.find(
        party, f"/careteam/fhir/Task?code={TaskCode.AGENDA_ITEM}&based-on=ServiceRequest/{referral}"
    )
    open_ones = [task for task in tasks if task["status"] in ("requested", "accepted", "in-progress")]
    story.expect("the case is on the next agenda", len(open_ones) == 1, len(open_ones))
    return open_ones[0]


async def hold_meeting(story: Story, item: Resource, *, decision: str, owner: str, task: str) -> None:
    """Hold the meeting of this case as its chair, with everybody there, and decide the case."""
    appointment = await _meeting_of(story, item)
    await story.until_moment(moment(appointment["start"]))
    path = f"/careteam/fhir/Appointment/{appointment['id']}"
    attended = [
        {"name": "attended", "valueReference": {"reference": participant["actor"]["reference"]}}
        for participant in appointment["participant"]
    ]
    await _call(story, f"{path}/$open", attended)
    action = [
        {"name": "owner", "valueReference": {"reference": f"Practitioner/{owner}"}},
        {"name": "description", "valueString": task},
        {"name": "due", "valueDate": story.clock.now().date().isoformat()},
    ]
    await _call(
        story,
        f"{path}/$decide",
        [
            {"name": "case", "valueReference": {"reference": f"Task/{item['id']}"}},
            {"name": "decision", "valueString": decision},
            {"name": "action", "part": action},
            {"name": "revise-plan", "valueBoolean": True},
        ],
    )
    await _call(story, f"{path}/$close", [])
    await _call(story, f"{path}/$sign-minutes", [])
    await story.settled()


async def _meeting_of(story: Story, item: Resource) -> Resource:
    now = story.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    meetings = await story.find("physiatrist", f"/careteam/fhir/Appointment?date=ge{now}&_sort=date")
    for meeting in meetings:
        if meeting["id"] in str(item):
            return meeting
    if not meetings:
        raise StepMissed("no case meeting is scheduled")
    return meetings[0]


async def _call(story: Story, path: str, values: list[Resource]) -> None:
    body = {"resourceType": "Parameters", "parameter": values}
    await story.act("physiatrist", "POST", path, body=body)
    story.note("physiatrist", f"chairs the case meeting: {path.rpartition('/')[2]}", path.rpartition("/")[2])
