"""A clinician falls sick: a colleague takes one visit over, the coordinator gives the rest another time."""

from datetime import date, datetime, time, timedelta

from deploy.demo.acts import change, expect_told, first_appointment, moment
from deploy.demo.booking import free_starts
from deploy.demo.care import see_first
from deploy.demo.story import Resource, StepMissed, Story, location_of

TITLE = "A clinician falls sick"
_SICK, _COLLEAGUE = "physiotherapist", "physiotherapist-2"
_EARLIEST_DAY = 63
# Of the clinic's week those on which both work, and when only the sick one does, and both.
_BOTH_WORK = (1, 3)
_EARLY, _LATE = (time(8), time(9)), (time(10), time(15))
_HOUR = timedelta(hours=1)


async def play(story: Story) -> None:
    """Book two visits of a day with one clinician, and let them be sick on it."""
    await story.until(_EARLIEST_DAY - 4, "15:00")
    day, number = await _quiet_day(story)
    await story.until(number - 4, "15:00")
    files = ("19-falls-sick-a.json", "19-falls-sick-b.json")
    early, late = [location_of(await story.send("family-practice", one), "ServiceRequest") for one in files]
    await story.settled()
    await _move(story, early, day, between=_EARLY)
    await _move(story, late, day, between=_LATE)

    await story.until(number - 1, "16:30")
    slot = _away(story, day)
    said = await _preview(story, slot)
    story.expect("the preview says who takes a visit over", said["reassigned"] > 0, said)
    story.expect("the preview says who is to be asked", said["asked"] > 0, said)
    await story.act("coordinator", "POST", "/scheduling/fhir/Slot", body=slot)
    story.note("coordinator", "records that a clinician is sick", "POST Slot")
    await story.settled()

    taken = await first_appointment(story, "coordinator", late)
    story.expect("a colleague takes the late visit over", _COLLEAGUE in str(taken["participant"]))
    await expect_told(story, late, "appointment.reassigned", "family-practice", _COLLEAGUE)
    asked = await _replanning(story)
    early_visit = await first_appointment(story, "coordinator", early)
    story.expect("the early visit is to be asked about", early_visit["id"] in [one["id"] for one in asked])
    for one in asked:
        await _take(story, one)
    await story.settled()
    left = await _replanning(story)
    story.expect("nobody is left with somebody who is not there", not left, len(left))
    await story.meanwhile(lambda aside: see_first(aside, late))
    await see_first(story, early)


async def _quiet_day(story: Story) -> tuple[date, int]:
    """Find a day on which the colleague works too, the day before is open and the sick one has an hour early
    and one late, and how many days after the first day it lies.
    """
    roster = await story.read("coordinator", "/scheduling/roster")
    closed = {moment(one["start"]).astimezone(story.zone).date() for one in roster["closed"]}
    begins = story.begin.astimezone(story.zone).date()
    for number in range(_EARLIEST_DAY, _EARLIEST_DAY + 21):
        day = begins + timedelta(days=number)
        if day.weekday() not in _BOTH_WORK or closed & {day, day - timedelta(days=1)}:
            continue
        if await _starts(story, day, *_EARLY) and await _starts(story, day, *_LATE):
            return day, number
    raise LookupError("three weeks have no day with an hour early and one late")


async def _starts(story: Story, day: date, after: time, before: time) -> list[datetime]:
    """List when an hour of a day at which the sick one is free may begin, between two times.

    Late the colleague is free then too, who is to take the visit over.
    """
    first, last = (datetime.combine(day, wall, tzinfo=story.zone) for wall in (after, before))
    ends = datetime.combine(day, time(18), tzinfo=story.zone)
    found = await free_starts(story, _SICK, first, ends)
    if (after, before) == _LATE:
        both = set(await free_starts(story, _COLLEAGUE, first, ends))
        found = [at for at in found if at in both]
    return [at for at in found if at <= last]


async def _move(story: Story, referral: str, day: date, *, between: tuple[time, time]) -> None:
    """Give a first visit an hour of a day at which its clinician is free, and begins between two times."""
    visit = await first_appointment(story, "coordinator", referral)
    starts = await _starts(story, day, *between)
    if not starts:
        raise StepMissed(f"no hour between {between[0]:%H:%M} and {between[1]:%H:%M} is free")
    start = starts[0]
    path = f"/scheduling/fhir/Appointment/{visit['id']}"
    await change(story, "coordinator", path, start=start.isoformat(), end=(start + _HOUR).isoformat())


def _away(story: Story, day: date) -> Resource:
    begins = datetime.combine(day, time(0), tzinfo=story.zone)
    return {
        "resourceType": "Slot",
        "schedule": {"reference": f"Schedule/{_SICK}"},
        "status": "busy-unavailable",
        "start": begins.isoformat(),
        "end": datetime.combine(day + timedelta(days=1), time(0), tzinfo=story.zone).isoformat(),
        "comment": "A fever.",
    }


async def _preview(story: Story, slot: Resource) -> dict[str, int]:
    answer = await story.act("coordinator", "POST", "/scheduling/fhir/Slot/$preview", body=slot)
    given = answer.json()["parameter"]
    return {one["name"]: one["valueInteger"] for one in given if "valueInteger" in one}


async def _replanning(story: Story) -> list[Resource]:
    rows: list[Resource] = (await story.read("coordinator", "/scheduling/replanning"))["rows"]
    return rows


async def _take(story: Story, row: Resource) -> None:
    """Give a visit the first of the times that are free for it."""
    story.expect("a time is free for the visit", bool(row["times"]), row["id"])
    chosen = row["times"][0]
    path = f"/scheduling/fhir/Appointment/{row['id']}"
    await change(story, "coordinator", path, start=chosen["start"], end=chosen["end"])
    story.note("coordinator", "gives a visit of the sick clinician another time", "PUT Appointment")
