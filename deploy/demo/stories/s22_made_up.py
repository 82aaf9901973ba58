"""A session that was missed is made up for at once, and what is called off is not booked again."""

from functools import partial

from deploy.demo.acts import change, moment, sessions
from deploy.demo.care import expect_sessions_held, see_first
from deploy.demo.insurer import answer, work_list
from deploy.demo.story import Resource, Story, location_of

TITLE = "A missed session made up"


async def play(story: Story) -> None:
    """Refer, authorize, miss a session, and call off the last two with their dates shown first."""
    await story.until(3, "10:00")
    referral = location_of(await story.send("second-practice", "22-made-up.json"), "ServiceRequest")
    await story.settled()
    await story.meanwhile(partial(see_first, referral=referral))
    claim = await work_list(story, "motor-insurer", referral)
    await story.until(4, "15:00")
    await answer(story, "motor-insurer", claim, "A1", weeks=11)
    await story.settled()
    booked = await sessions(story, referral)
    story.expect("ten sessions are booked", len(booked) == 10, len(booked))

    missed = booked[2]
    await story.until_moment(moment(missed["end"]))
    await change(story, "coordinator", f"/scheduling/fhir/Appointment/{missed['id']}", status="noshow")
    story.note("coordinator", "records that the patient did not come", "PUT Appointment")
    await story.settled()
    left = await sessions(story, referral)
    new = [one for one in left if one["id"] not in {old["id"] for old in booked}]
    story.expect("one more is booked in its place", len(new) == 1, len(new))

    await _call_off(story, left)
    await expect_sessions_held(story, referral, count=8)


async def _call_off(story: Story, left: list[Resource]) -> None:
    """Call the last two sessions off, having looked which ones these are."""
    series = str(left[0]["supportingInformation"][0]["reference"]).rpartition("/")[2]
    given: list[Resource] = [
        {"name": "scope", "valueCode": "following"},
        {"name": "session", "valueReference": {"reference": f"Appointment/{left[-2]['id']}"}},
        {"name": "reason", "valueString": "The patient is back at full duty."},
        {"name": "code", "valueCode": "pat"},
    ]
    path = f"/scheduling/fhir/List/{series}"
    act: Resource = {"name": "act", "valueCode": "cancel-sessions"}
    shown = await story.act("coordinator", "POST", f"{path}/$preview", body=_body([act, *given]))
    dates = [one for one in shown.json()["parameter"] if one["name"] == "session"]
    story.expect("two dates are shown first", len(dates) == 2, len(dates))
    await story.act("coordinator", "POST", f"{path}/$cancel-sessions", body=_body(given))
    story.note("coordinator", "calls the last two sessions off", "POST List/$cancel-sessions")
    await story.settled()


def _body(parameters: list[Resource]) -> Resource:
    return {"resourceType": "Parameters", "parameter": parameters}
