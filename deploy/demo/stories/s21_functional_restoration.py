"""Functional restoration: three disciplines, ten sessions a week on five days, in the hours kept for them."""

from collections import defaultdict
from functools import partial

from deploy.demo.acts import moment, sessions, visit
from deploy.demo.care import expect_sessions_held, see_first
from deploy.demo.insurer import answer, work_list
from deploy.demo.story import Resource, Story, location_of
from shared.fhir.codes import AppointmentKind

TITLE = "A functional restoration block"
_WEEKS, _A_WEEK, _DAYS, _HOURS = 6, 10, 5, 3


async def play(story: Story) -> None:
    """Refer, authorize each discipline, and hold six weeks of sessions with the reviews inside."""
    await story.until(1, "09:00")
    referral = location_of(
        await story.send("second-practice", "21-functional-restoration.json"), "ServiceRequest"
    )
    await story.settled()
    await story.meanwhile(partial(see_first, referral=referral))
    claim = await work_list(story, "motor-insurer", referral)
    story.expect("the Claim has an item for each discipline", len(claim["item"]) == 3, len(claim["item"]))

    await story.until(2, "14:00")
    await answer(story, "motor-insurer", claim, "A1", weeks=11)
    await story.settled()
    booked = await sessions(story, referral)
    story.expect("sixty sessions are booked", len(booked) == _WEEKS * _A_WEEK, len(booked))
    _expect_block(story, booked)
    reviews = await _reviews(story, referral)
    story.expect("two reviews lie inside", len(reviews) == 2, len(reviews))
    for review in reviews:
        await story.meanwhile(partial(visit, appointment=review))
    await expect_sessions_held(story, referral, count=_WEEKS * _A_WEEK)


def _expect_block(story: Story, booked: list[Resource]) -> None:
    weeks: dict[tuple[int, int], set[str]] = defaultdict(set)
    days: dict[str, list[Resource]] = defaultdict(list)
    for one in booked:
        local = moment(one["start"]).astimezone(story.zone)
        weeks[local.isocalendar()[:2]].add(local.date().isoformat())
        days[local.date().isoformat()].append(one)
    story.expect("in six weeks of five days", [len(one) for one in weeks.values()] == [_DAYS] * _WEEKS, weeks)
    longest = max(
        moment(max(one["end"] for one in of_day)) - moment(min(one["start"] for one in of_day))
        for of_day in days.values()
    )
    story.expect("no day is longer than its block", longest.total_seconds() <= _HOURS * 3600, longest)


async def _reviews(story: Story, referral: str) -> list[Resource]:
    return await story.find(
        "coordinator",
        f"/scheduling/fhir/Appointment?based-on=ServiceRequest/{referral}"
        f"&appointment-type={AppointmentKind.REVIEW}&status=booked",
    )
