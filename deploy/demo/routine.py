"""What a clinic does every day without a story: sessions are held, and the chair leads the case meetings."""

from datetime import datetime, timedelta

from deploy.demo.acts import change, moment, practitioner_of
from deploy.demo.meeting import lead_meeting
from deploy.demo.story import Resource, Story
from shared.fhir.codes import AppointmentKind

MORNING, EVENING = "08:00", "18:15"


async def hold_sessions(story: Story, *, end: datetime) -> None:
    """Record every evening, and at the end, the sessions that took place."""
    for day in range((end - story.begin).days + 1):
        await story.until(day, EVENING)
        await _record_held(story)
        if story.clock.now() + timedelta(days=1) > end:
            break
    await story.until_moment(end)
    await _record_held(story)


async def lead_meetings(story: Story, *, end: datetime) -> None:
    """Lead each case meeting of the clinic's calendar as its chair."""
    await story.until(0, MORNING)
    while True:
        coming = [one for one in await _meetings(story) if moment(one["start"]) >= story.clock.now()]
        if not coming or moment(coming[0]["end"]) > end:
            return
        await lead_meeting(story, coming[0])


async def _record_held(story: Story) -> None:
    now = story.clock.now()
    found = await story.find(
        "coordinator",
        f"/scheduling/fhir/Appointment?appointment-type={AppointmentKind.SESSION}&status=booked"
        f"&date=lt{now:%Y-%m-%dT%H:%M:%SZ}&_sort=date&_count=200",
    )
    held = [session for session in found if moment(session["end"]) <= now]
    for session in held:
        path = f"/scheduling/fhir/Appointment/{session['id']}"
        await change(story, practitioner_of(session), path, status="fulfilled")
    if held:
        story.note("therapists", f"sessions that took place today: {len(held)}", "PUT Appointment")
        await story.settled()


async def _meetings(story: Story) -> list[Resource]:
    now = story.clock.now()
    return await story.find(
        "physiatrist", f"/careteam/fhir/Appointment?date=ge{now:%Y-%m-%dT%H:%M:%SZ}&_sort=date"
    )
