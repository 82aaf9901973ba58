"""Acts that several stories share: how people of the clinic and insurers use the API."""

from datetime import datetime, timedelta
from typing import Any

from deploy.demo.story import Resource, StepMissed, Story
from shared.fhir import codes


def business_status(task: Resource) -> str:
    """Read the clinic's own business status of a Task."""
    for coding in task["businessStatus"]["coding"]:
        if coding.get("system") == codes.BUSINESS_STATUS_SYSTEM:
            return str(coding["code"])
    return ""


async def process_task(story: Story, party: str, referral: str) -> Resource:
    """Read the referral's process-request Task as this party sees it."""
    tasks = await story.find(
        party, f"/referral/fhir/Task?focus=ServiceRequest/{referral}&code={codes.TaskCode.PROCESS_REQUEST}"
    )
    if len(tasks) != 1:
        raise StepMissed(f"{party} sees {len(tasks)} process Tasks of the referral")
    return tasks[0]


async def task_stands_at(story: Story, party: str, referral: str, wanted: str) -> Resource:
    """Expect the referrer's Task at this business status."""
    task = await process_task(story, party, referral)
    story.expect(f"the Task says {wanted}", business_status(task) == wanted, business_status(task))
    return task


async def first_appointment(story: Story, party: str, referral: str, status: str = "booked") -> Resource:
    """Find the referral's first appointment with this status."""
    found = await story.find(
        party,
        f"/scheduling/fhir/Appointment?based-on=ServiceRequest/{referral}"
        f"&appointment-type={codes.AppointmentKind.FIRST}&status={status}",
    )
    story.expect(f"one first appointment is {status}", len(found) == 1, len(found))
    return found[0]


async def sessions(story: Story, referral: str, status: str = "booked") -> list[Resource]:
    """Find the referral's sessions with this status, earliest first."""
    found = await story.find(
        "coordinator",
        f"/scheduling/fhir/Appointment?based-on=ServiceRequest/{referral}"
        f"&appointment-type={codes.AppointmentKind.SESSION}&status={status}&_count=100&_sort=date",
    )
    return sorted(found, key=lambda appointment: str(appointment["start"]))


async def told(story: Story, referral: str, event: str) -> list[str]:
    """Name who was sent a message about this event of a referral, and got it."""
    found = await story.find(
        "coordinator",
        f"/notifications/fhir/Communication?based-on=ServiceRequest/{referral}&status=completed&_count=200",
    )
    return sorted(
        str(one["recipient"][0]["reference"]).rpartition("/")[2]
        for one in found
        if one["topic"]["coding"][0]["code"] == event
    )


async def expect_told(story: Story, referral: str, event: str, *people: str) -> None:
    """Expect that exactly these were sent a message about an event."""
    found = await told(story, referral, event)
    names = " and ".join(people)
    story.expect(f"{names} were told of {event}", found == sorted(people), found)


def moment(instant: str) -> datetime:
    """Read a FHIR instant."""
    return datetime.fromisoformat(instant)


async def change(story: Story, party: str, path: str, **members: Any) -> Resource:
    """Read a resource, change members, and put it back with If-Match."""
    current = await story.read(party, path)
    changed = current | members
    answer = await story.act(party, "PUT", path, body=changed, version=int(current["meta"]["versionId"]))
    result: Resource = answer.json()
    return result


async def visit(story: Story, appointment: Resource, clinician: str | None = None) -> None:
    """Record that the patient arrived and was seen, and go on ten minutes later."""
    path = f"/scheduling/fhir/Appointment/{appointment['id']}"
    await story.until_moment(moment(appointment["start"]))
    await change(story, "coordinator", path, status="arrived")
    await story.until_moment(moment(appointment["end"]))
    seen_by = clinician or practitioner_of(appointment)
    await change(story, seen_by, path, status="fulfilled")
    story.note(seen_by, "has seen the patient", "PUT Appointment")
    await story.later()


def practitioner_of(appointment: Resource) -> str:
    """Name the client of the clinician; the coordinator acts where the person has no client of their own."""
    for participant in appointment["participant"]:
        kind, _, name = participant["actor"]["reference"].rpartition("/")
        if kind.endswith("Practitioner"):
            return name if name in _PEOPLE_WITH_CLIENTS else "coordinator"
    return "coordinator"


async def within_promise(story: Story, appointment: Resource, sent: datetime) -> None:
    """Expect a first appointment inside 28 days."""
    wait = moment(appointment["start"]) - sent
    story.expect("the first appointment is inside 28 days", wait <= timedelta(days=28), wait)


_PEOPLE_WITH_CLIENTS = frozenset(
    {"physiatrist", "physiotherapist", "occupational-therapist", "psychologist", "pain-physician"}
)
