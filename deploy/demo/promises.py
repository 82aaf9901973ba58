"""Promises of a first visit: as the board shows them, and the day that a patient is told by telephone."""

from deploy.demo.story import Resource, Story


async def guarantee_of(story: Story, referral: str) -> Resource:
    """Read the guarantee of a referral as the coordinator's board shows it."""
    rows = (await story.act("coordinator", "GET", "/scheduling/guarantee?_count=200")).json()["rows"]
    found = [row for row in rows if str(row["referral"]).endswith(referral)]
    story.expect("the guarantee is listed", len(found) == 1, len(found))
    row: Resource = found[0]
    return row


async def tell_by_telephone(story: Story, referral: str) -> None:
    """Tell the patient the day, and tick the Task that asks for it."""
    tasks = await story.find(
        "coordinator",
        f"/scheduling/fhir/Task?based-on=ServiceRequest/{referral}&code=tell-patient&status=requested",
    )
    story.expect("the coordinator is asked to tell the patient the day", len(tasks) == 1, len(tasks))
    task = tasks[0]
    await story.act(
        "coordinator",
        "PUT",
        f"/scheduling/fhir/Task/{task['id']}",
        body=task | {"status": "completed"},
        version=int(task["meta"]["versionId"]),
    )
    story.note("coordinator", "tells the patient the day by telephone", "PUT Task")
