"""A full month: an evening has no day in time for somebody, the clinic adds hours, the next evening has."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from deploy.demo.acts import change, expect_told, first_appointment, moment, process_task, within_promise
from deploy.demo.care import see_first
from deploy.demo.promises import guarantee_of, tell_by_telephone
from deploy.demo.story import Resource, Story, location_of
from shared.fhir.codes import HOURS_FOR_EXTENSION

TITLE = "A full month"
FILES = tuple(f"20-full-month-{letter}.json" for letter in "abcde")
_EARLIEST_DAY, _WEDNESDAY = 28, 2
# From the Wednesday on which they are sent to the Tuesday of the next week the site is open.
_OPEN_FROM_WEDNESDAY = (0, 1, 2, 5, 6)
_ROLE = "/scheduling/fhir/PractitionerRole"


async def play(story: Story) -> None:
    """Refer more patients than the month has first visits, see it foreseen, and add hours in time."""
    wednesday = await _open_wednesday(story)
    await story.until(wednesday, "10:00")
    sent = story.clock.now()
    referrals = [location_of(await story.send("family-practice", file), "ServiceRequest") for file in FILES]
    await story.settled()

    await story.until(wednesday + 1, "09:00")
    late = await _with_status(story, referrals, "forecast-breach")
    story.expect("the evening has no day in time for somebody", bool(late), len(late))
    story.note("coordinator", f"sees {len(late)} promises that the plan cannot keep", "GET guarantee")
    for referral in late:
        await expect_told(story, referral, "guarantee.forecast-breach", "coordinator")
        task = await process_task(story, "family-practice", referral)
        said = task["statusReason"]["text"]
        story.expect("its sender reads it", "no day in the promised time is free" in said, said)
    await _ask_what_would_help(story)
    await _add_hours(story)

    await story.until(wednesday + 2, "09:00")
    await _kept_by_the_evening(story, referrals)
    told = await _telephone(story, referrals)
    await story.until(wednesday + 5, "09:00")
    told += await _telephone(story, [one for one in referrals if one not in told])
    for referral in late:
        story.expect("whoever had no day is told one", referral in told)
    for referral in referrals:
        await within_promise(story, await first_appointment(story, "coordinator", referral), sent)
        await story.meanwhile(partial(_seen_in_time, referral=referral))


async def _open_wednesday(story: Story) -> int:
    """Find a Wednesday in whose week and after it the site is open, as days after the first day."""
    roster = await story.read("coordinator", "/scheduling/roster")
    closed = {moment(one["start"]).astimezone(story.zone).date() for one in roster["closed"]}
    begins = story.begin.astimezone(story.zone).date()
    for number in range(_EARLIEST_DAY, _EARLIEST_DAY + 21):
        day = begins + timedelta(days=number)
        if day.weekday() == _WEDNESDAY and not closed & {
            day + timedelta(days=after) for after in _OPEN_FROM_WEDNESDAY
        }:
            return number
    raise LookupError("three weeks have no Wednesday with open days after it")


async def _with_status(story: Story, referrals: Sequence[str], status: str) -> list[str]:
    path = f"/scheduling/guarantee?status={status}&_count=200"
    rows: list[Resource] = (await story.read("coordinator", path))["rows"]
    return [row["referral"] for row in rows if row["referral"] in referrals]


async def _ask_what_would_help(story: Story) -> None:
    """Ask how many breaches to come three more first visits a week would prevent."""
    path = "/scheduling/forecast?weeks=8&extra=pain-medicine:3"
    forecast = await story.read("coordinator", path)
    prevented = forecast["prevented"]["breaches"]
    story.expect("the forecast says what more visits prevent", prevented["q50"] > 0, prevented)
    story.note("coordinator", "asks what more visits would prevent", "GET forecast")


async def _add_hours(story: Story) -> None:
    """Give the pain physician three more hours a week for first visits, and see before whom that moves."""
    path = f"{_ROLE}/pain-physician"
    hours = {
        "extension": [{"url": HOURS_FOR_EXTENSION, "valueCode": "first"}],
        "daysOfWeek": ["thu"],
        "availableStartTime": "13:00:00",
        "availableEndTime": "16:00:00",
    }
    role = await story.read("coordinator", path)
    more = {"availableTime": [*role["availableTime"], hours]}
    answer = await story.act("coordinator", "POST", f"{_ROLE}/$preview", body=role | more)
    said = {one["name"]: one.get("valueInteger") for one in answer.json()["parameter"]}
    story.expect("more hours move nobody", (said["reassigned"], said["asked"]) == (0, 0), said)
    await change(story, "coordinator", path, **more)
    story.note("coordinator", "adds hours for first visits", "PUT PractitionerRole")
    await story.settled()


async def _kept_by_the_evening(story: Story, referrals: Sequence[str]) -> None:
    """Expect that the evening after has a day in time for everybody."""
    late = await _with_status(story, referrals, "forecast-breach,at-risk,breached")
    story.expect("the next evening has a day in time for everybody", not late, len(late))
    for referral in referrals:
        task = await process_task(story, "family-practice", referral)
        said = task["statusReason"]["text"]
        story.expect("what was foreseen is taken back", "no day in the promised time" not in said, said)


async def _telephone(story: Story, referrals: Sequence[str]) -> list[str]:
    """Tell the patients their days for whom a Task asks that, and give their referrals."""
    rows = (await story.read("coordinator", "/scheduling/worklist?kind=tell&_count=200"))["rows"]
    asked = [row["referral"] for row in rows if row["referral"] in referrals]
    for referral in asked:
        await tell_by_telephone(story, referral)
    return asked


async def _seen_in_time(story: Story, referral: str) -> None:
    await see_first(story, referral)
    promise = await guarantee_of(story, referral)
    story.expect("the promise was kept", promise["status"] == "met", promise["status"])
