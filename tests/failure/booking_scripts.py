"""What people do with the calendar while anything may be killed: holds, groups, series, absences, and
referrals that wait for an evening's plan.
"""

import functools
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from deploy.demo.acts import change
from deploy.demo.booking import book, book_held, find_times, hold
from deploy.demo.story import Resource, StepMissed, Story, parameters
from tests.failure.referrals import ROUTINE
from tests.failure.scripts import Desk, Play, asked_of, routine

_COORDINATOR = "coordinator"
_APPOINTMENT, _SLOT = "/scheduling/fhir/Appointment", "/scheduling/fhir/Slot"
_SITE = ZoneInfo("America/Toronto")
_PEOPLE = ("physiotherapist", "physiotherapist-2", "physiatrist", "toronto")
_WHY = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason",
            "code": "pat",
        }
    ]
}


async def held_and_booked(desk: Desk) -> None:
    """Hold a time for a patient; book it, let it go, or leave it to its end; call off some."""
    story, referral = desk.story(), await desk.send(ROUTINE)
    proposal = await _proposed(desk, story, referral, "review")
    held = await hold(story, _COORDINATOR, proposal)
    lot = desk.chance.random()
    if lot < 0.2:
        return
    if lot < 0.4:
        await _call_off(story, held)
        return
    booked = await book_held(story, _COORDINATOR, held)
    if lot < 0.6:
        await _call_off(story, booked)


async def booked_by_hand(desk: Desk) -> None:
    """Book a visit at a time that others may want too."""
    story, referral = desk.story(), await desk.send(ROUTINE)
    await book(story, _COORDINATOR, await _proposed(desk, story, referral, "telephone-review"))


async def in_a_group(desk: Desk) -> None:
    """Give two patients a seat in a group, and mostly call the session off for both."""
    story = desk.story()
    referrals = [await desk.send(ROUTINE) for _ in range(2)]
    proposals = [await _proposed(desk, story, referral, "back-school") for referral in referrals]
    seats = [
        await book(story, _COORDINATOR, proposals[0] | {"basedOn": proposal["basedOn"]})
        for proposal in proposals
    ]
    if desk.chance.random() < 0.6:
        body = parameters(reason="The clinician is ill")
        await story.act(_COORDINATOR, "POST", f"{_APPOINTMENT}/{seats[0]['id']}/$cancel-group", body=body)


async def away(desk: Desk) -> None:
    """Say that somebody is away for a day or that the site is closed, and mostly take it back."""
    story = desk.story()
    day = (datetime.now(UTC) + timedelta(days=desk.chance.randint(1, 21))).astimezone(_SITE).date()
    begins, ends = (datetime.combine(one, time(), tzinfo=_SITE) for one in (day, day + timedelta(days=1)))
    slot = {
        "resourceType": "Slot",
        "schedule": {"reference": f"Schedule/{desk.chance.choice(_PEOPLE)}"},
        "status": "busy-unavailable",
        "start": begins.isoformat(),
        "end": ends.isoformat(),
    }
    made: Resource = (await story.act(_COORDINATOR, "POST", _SLOT, body=slot)).json()
    if desk.chance.random() < 0.7:
        await story.act(_COORDINATOR, "DELETE", f"{_SLOT}/{made['id']}", version=1)


async def other_hours(desk: Desk) -> None:
    """Give a clinician a shorter or a longer week."""
    last = desk.chance.choice(("14:00:00", "15:00:00", "16:00:00"))
    path = "/scheduling/fhir/PractitionerRole/physiotherapist"
    role = await desk.story().read(_COORDINATOR, path)
    hours = [one | {"availableEndTime": last} for one in role["availableTime"]]
    await change(desk.story(), _COORDINATOR, path, availableTime=hours)


async def in_a_series(desk: Desk) -> None:
    """Have a series booked, call off some of it by scope, move some, or see it suspended and resumed."""
    answers = desk.chance.choice((("A1",), ("A1", "A3", "A1")))
    referral = await asked_of(desk, "04-workplace-insurer.json", "workplace-insurer", *answers)
    story, based_on = desk.story(), f"based-on=ServiceRequest/{referral}"
    path = f"{_APPOINTMENT}?{based_on}&appointment-type=session&status=booked&_sort=date"

    async def booked() -> list[Resource]:
        found = await story.find(_COORDINATOR, path)
        if len(found) < 2:
            raise StepMissed(f"the series has {len(found)} sessions")
        return found

    rows = await desk.soon(booked)
    series = str(rows[0]["supportingInformation"][0]["reference"]).rpartition("/")[2]
    scope = desk.chance.choice(("one", "following"))
    given: list[Resource] = [
        {"name": "scope", "valueCode": scope},
        {"name": "session", "valueReference": {"reference": f"Appointment/{rows[-2]['id']}"}},
        {"name": "reason", "valueString": "Back at work"},
    ]
    body = {"resourceType": "Parameters", "parameter": given}
    await story.act(_COORDINATOR, "POST", f"/scheduling/fhir/List/{series}/$cancel-sessions", body=body)


async def _proposed(desk: Desk, story: Story, referral: str, visit: str) -> Resource:
    """Find a time of a visit as soon as scheduling knows the referral; others may find the same one."""
    after = datetime.now(UTC) + timedelta(days=1)
    found = await desk.soon(functools.partial(find_times, story, _COORDINATOR, referral, visit, after=after))
    return desk.chance.choice(found)


async def _call_off(story: Story, visit: Resource) -> None:
    path = f"{_APPOINTMENT}/{visit['id']}"
    await change(story, _COORDINATOR, path, status="cancelled", cancelationReason=_WHY)


# How often each is played, of a hundred.
BOOKING_PLAYS: Mapping[Play, int] = {
    routine: 25,
    held_and_booked: 25,
    booked_by_hand: 10,
    in_a_group: 15,
    away: 15,
    other_hours: 5,
    in_a_series: 5,
}
