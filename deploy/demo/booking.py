"""Visits that people book themselves: found, held and booked, and what is refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.demo.story import Resource, StepMissed, Story

_APPOINTMENT = "/scheduling/fhir/Appointment"
_HOUR, _QUARTER = timedelta(hours=1), timedelta(minutes=15)


async def find_times(
    story: Story, party: str, referral: str, visit: str, *, after: datetime
) -> list[Resource]:
    """Find the times of a visit in the two weeks after a moment, as proposed Appointments."""
    given: list[dict[str, Any]] = [
        {"name": "start", "valueDateTime": after.isoformat()},
        {"name": "end", "valueDateTime": (after + timedelta(days=14)).isoformat()},
        {"name": "visit-type", "valueCode": visit},
        {"name": "referral", "valueReference": {"reference": f"ServiceRequest/{referral}"}},
    ]
    body = {"resourceType": "Parameters", "parameter": given}
    bundle: Resource = (await story.act(party, "POST", f"{_APPOINTMENT}/$find", body=body)).json()
    times = [entry["resource"] for entry in bundle.get("entry", [])]
    if not times:
        raise StepMissed(f"nothing is free for a {visit} in two weeks")
    return times


async def hold(story: Story, party: str, proposal: Resource) -> Resource:
    """Hold a time."""
    held: Resource = (await story.act(party, "POST", f"{_APPOINTMENT}/$hold", body=_of(proposal))).json()
    story.note(party, "holds a time while the patient is asked", "POST Appointment/$hold")
    return held


async def book_held(story: Story, party: str, held: Resource) -> Resource:
    """Book what is held."""
    reference = {
        "name": "appointment-reference",
        "valueReference": {"reference": f"Appointment/{held['id']}"},
    }
    body = {"resourceType": "Parameters", "parameter": [reference]}
    booked: Resource = (await story.act(party, "POST", f"{_APPOINTMENT}/$book", body=body)).json()
    return booked


async def book(story: Story, party: str, proposal: Resource) -> Resource:
    """Book a time."""
    booked: Resource = (await story.act(party, "POST", f"{_APPOINTMENT}/$book", body=_of(proposal))).json()
    return booked


async def refused(story: Story, party: str, proposal: Resource) -> str:
    """Try to book what cannot be had, and give the words in which that is refused."""
    answer = await story.act(party, "POST", f"{_APPOINTMENT}/$book", body=_of(proposal), status=409)
    issue: Resource = answer.json()["issue"][0]
    return str(issue["details"]["text"])


def _of(proposal: Resource) -> Resource:
    parameter = {"name": "appointment-resource", "resource": proposal}
    return {"resourceType": "Parameters", "parameter": [parameter]}


async def free_starts(story: Story, clinician: str, begins: datetime, ends: datetime) -> list[datetime]:
    """List the quarters between two moments at which an hour of a clinician is free."""
    bounds = [moment.astimezone(UTC).isoformat().replace("+", "%2B") for moment in (begins, ends)]
    address = f"/scheduling/fhir/Slot?schedule=Schedule/{clinician}&start=ge{bounds[0]}&start=lt{bounds[1]}"
    free = [
        (max(datetime.fromisoformat(slot["start"]), begins), datetime.fromisoformat(slot["end"]))
        for slot in await story.find("coordinator", address)
    ]
    return [
        start + _QUARTER * place
        for start, end in free
        for place in range(int((end - _HOUR - start) / _QUARTER) + 1)
        if start + _HOUR <= end
    ]
