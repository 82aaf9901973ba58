"""Acts of a case meeting: the chair opens it, cases are decided while it is open, it is closed and signed."""

from datetime import timedelta

from deploy.demo.acts import moment
from deploy.demo.story import Resource, Story
from shared.fhir.codes import TaskCode

CHAIR = "physiatrist"
_TALK = timedelta(minutes=10)
_LAST_WORD = timedelta(minutes=50)
_LIVE = "requested"


async def agenda_item(story: Story, party: str, referral: str) -> Resource:
    """Find the referral's case that waits for a meeting."""
    tasks = await story.find(
        party,
        f"/careteam/fhir/Task?code={TaskCode.AGENDA_ITEM}&status={_LIVE}&based-on=ServiceRequest/{referral}",
    )
    story.expect("the case is on the next agenda", len(tasks) == 1, len(tasks))
    return tasks[0]


async def lead_meeting(story: Story, meeting: Resource) -> None:
    """Lead a meeting from its start to its signed minutes; what nobody decided goes on as it is."""
    start = moment(meeting["start"])
    path = f"/careteam/fhir/Appointment/{meeting['id']}"
    await story.until_moment(start)
    invited = (await story.read(CHAIR, path))["participant"]
    here = [{"name": "attended", "valueReference": one["actor"]} for one in invited]
    await _call(story, f"{path}/$open", here)
    await story.until_moment(start + _LAST_WORD)
    for case in await _undecided(story, meeting):
        await _call(story, f"{path}/$decide", _decision(case, "The plan goes on as it is"))
    await _call(story, f"{path}/$close", [])
    await _call(story, f"{path}/$sign-minutes", [])
    await story.settled()


async def decide_at_meeting(
    story: Story,
    item: Resource,
    decision: str,
    *,
    revise_plan: bool = False,
    owner: str | None = None,
    task: str = "",
) -> None:
    """Wait for the case's meeting and decide it, with a Task for its owner where one is named."""
    meeting = str(item["input"][0]["valueReference"]["reference"]).rpartition("/")[2]
    path = f"/careteam/fhir/Appointment/{meeting}"
    await story.until_moment(moment((await story.read(CHAIR, path))["start"]) + _TALK)
    values = _decision(item, decision)
    if revise_plan:
        values.append({"name": "revise-plan", "valueBoolean": True})
    if owner is not None:
        values.append({"name": "action", "part": _action(story, owner, task)})
    await _call(story, f"{path}/$decide", values)
    story.note(CHAIR, "decides the case with the team", "Appointment/$decide")
    await story.settled()


def _decision(case: Resource, text: str) -> list[Resource]:
    return [
        {"name": "case", "valueReference": {"reference": f"Task/{case['id']}"}},
        {"name": "decision", "valueString": text},
    ]


def _action(story: Story, owner: str, task: str) -> list[Resource]:
    due = (story.clock.now() + timedelta(days=14)).date()
    return [
        {"name": "owner", "valueReference": {"reference": f"Practitioner/{owner}"}},
        {"name": "description", "valueString": task},
        {"name": "due", "valueDate": due.isoformat()},
    ]


async def _undecided(story: Story, meeting: Resource) -> list[Resource]:
    live = await story.find(
        CHAIR, f"/careteam/fhir/Task?code={TaskCode.AGENDA_ITEM}&status={_LIVE}&_count=200"
    )
    return [case for case in live if meeting["id"] in str(case.get("input"))]


async def _call(story: Story, path: str, values: list[Resource]) -> None:
    body = {"resourceType": "Parameters", "parameter": values}
    await story.act(CHAIR, "POST", path, body=body)
