"""What people do with a series while anything may be killed: an insurer grants one, and then it is called
off, moved, handed over, paused and extended, its sessions are missed, its clinician is away, it ends.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from deploy.demo.acts import change, moment, sessions
from deploy.demo.story import Resource, StepMissed, Story, parameters
from tests.failure.scripts import Desk, Play, asked_of, routine
from tests.integration.referral.test_correcting_a_patient import consent

_COORDINATOR = "coordinator"
_SITE = ZoneInfo("America/Toronto")
_APPOINTMENT, _LIST = "/scheduling/fhir/Appointment", "/scheduling/fhir/List"
_FILE, _PAYER = "04-workplace-insurer.json", "workplace-insurer"
_WHY = "The patient travels"
PATIENT = "patient@mail.example"


async def called_off(desk: Desk) -> None:
    """Call off one session, it and what follows, or all."""
    story, referral = desk.story(), await _granted(desk)
    session = desk.chance.choice(await sessions(story, referral))
    scope = desk.chance.choice(("one", "following", "all"))
    await _do(desk, story, session, "cancel-sessions", scope=scope, reason=_WHY)


async def moved_by_scope(desk: Desk) -> None:
    """Call one off, and move one or all of a weekday further, to the first time to which they can go."""
    story, referral = desk.story(), await _granted(desk)
    first, *_ = booked = await sessions(story, referral)
    await _do(desk, story, desk.chance.choice(booked[1:]), "cancel-sessions", scope="one", reason=_WHY)
    scope = desk.chance.choice(("one", "all"))
    for hours in desk.chance.sample((1, 2, 3, 24, 48), 5):
        start = _walled(moment(first["start"]) + timedelta(hours=hours))
        if await _do(desk, story, first, "move-sessions", scope=scope, start=start):
            return


async def handed_over(desk: Desk) -> None:
    """Call one off, give the others another room, and one of them another clinician where that is free."""
    story, referral = desk.story(), await _granted(desk)
    first, second, *_ = await sessions(story, referral)
    await _do(desk, story, second, "cancel-sessions", scope="one", reason=_WHY)
    room = next(name for name in ("gym", "treatment-1") if name not in str(first["participant"]))
    await _do(desk, story, first, "move-sessions", scope="all", location=_of("Location", room))
    other = next(
        name
        for name in ("physiotherapist-2", "physiotherapist")
        if f"/{name}'" not in str(first["participant"])
    )
    await _do(desk, story, first, "move-sessions", scope="one", practitioner=_of("Practitioner", other))


async def paused_and_extended(desk: Desk) -> None:
    """Pause a series for a week, drop one session of it, and let it have one more."""
    story, referral = desk.story(), await _granted(desk)
    booked = await sessions(story, referral)
    day = moment(booked[2]["start"]).astimezone(_SITE).date()
    days = {"from": day.isoformat(), "until": (day + timedelta(days=6)).isoformat()}
    await _do(desk, story, booked[2], "hold", **days, reason=_WHY)
    left = await sessions(story, referral)
    await _do(desk, story, left[-1], "cancel-sessions", scope="one", reason=_WHY)
    await _do(desk, story, left[0], "extend", count=1)


async def missed_session(desk: Desk) -> None:
    """Let a patient be seen, and miss a session, which is made up for; sometimes it took place after all."""
    story, referral = desk.story(), await _granted(desk)
    session, *_ = await sessions(story, referral)
    path = f"{_APPOINTMENT}/{session['id']}"
    await desk.days_pass(str(session["id"]))
    await change(story, _COORDINATOR, path, status="noshow")
    if desk.chance.random() < 0.4:
        body = parameters(status="fulfilled", reason="They came later")
        await story.act(_COORDINATOR, "POST", f"{path}/$correct-status", body=body)


async def without_its_clinician(desk: Desk) -> None:
    """Let the clinician of a session be away for that day: a colleague takes it, or a Task names it."""
    story, referral = desk.story(), await _granted(desk)
    begins = moment(desk.chance.choice(await sessions(story, referral))["start"])
    slot = {
        "resourceType": "Slot",
        "schedule": {"reference": "Schedule/physiotherapist"},
        "status": "busy-unavailable",
        "start": begins.isoformat(),
        "end": (begins + timedelta(hours=1)).isoformat(),
    }
    made: Resource = (await story.act(_COORDINATOR, "POST", "/scheduling/fhir/Slot", body=slot)).json()
    await story.act(_COORDINATOR, "DELETE", f"/scheduling/fhir/Slot/{made['id']}", version=1)


async def ended_in_the_middle(desk: Desk) -> None:
    """Close a referral whose series is booked: everything to come is called off."""
    referral = await _granted(desk)
    body = parameters(reason="Care near home")
    path = f"/referral/fhir/ServiceRequest/{referral}/$close"
    await desk.story().act(_COORDINATOR, "POST", path, body=body)


async def _granted(desk: Desk) -> str:
    """Refer somebody who takes letters and whose insurer grants a series; wait until it is booked."""
    referral = await asked_of(desk, _FILE, _PAYER, "A1")
    story = desk.story()
    request = await story.read(_COORDINATOR, f"/referral/fhir/ServiceRequest/{referral}")
    patient = str(request["subject"]["reference"]).rpartition("/")[2]
    path, telecom = f"/referral/fhir/Patient/{patient}", [{"system": "email", "value": PATIENT}]
    await change(story, _COORDINATOR, path, telecom=telecom, extension=[consent("email", on="2026-01-01")])

    async def booked() -> Any:
        found = await sessions(story, referral)
        if len(found) < 4:
            raise StepMissed(f"{len(found)} sessions are booked")
        return found

    await desk.soon(booked)
    return referral


async def _do(desk: Desk, story: Story, session: Resource, act: str, **given: Any) -> bool:
    """Do an act on the series of a session, and tell whether it is done; a refusal is no fault."""
    series = str(session["supportingInformation"][0]["reference"]).rpartition("/")[2]
    body = {
        "resourceType": "Parameters",
        "parameter": [
            *(
                [{"name": "session", "valueReference": _of("Appointment", session["id"])}]
                if "scope" in given
                else []
            ),
            *(_said(name, value) for name, value in given.items()),
        ],
    }
    try:
        await story.act(_COORDINATOR, "POST", f"{_LIST}/{series}/${act}", body=body)
    except StepMissed as missed:
        if " answered 409: " not in str(missed):
            raise
        return False
    return True


def _said(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {"name": name, "valueReference": value}
    if isinstance(value, int):
        return {"name": name, "valueInteger": value}
    kinds = {"scope": "valueCode", "start": "valueInstant", "from": "valueDate", "until": "valueDate"}
    return {"name": name, kinds.get(name, "valueString"): value}


def _of(kind: str, id: Any) -> dict[str, str]:
    return {"reference": f"{kind}/{id}"}


def _walled(at: datetime) -> str:
    return at.astimezone(_SITE).isoformat()


# How often each is played, of a hundred.
SERIES_PLAYS: Mapping[Play, int] = {
    routine: 10,
    called_off: 20,
    moved_by_scope: 15,
    handed_over: 15,
    paused_and_extended: 15,
    missed_session: 10,
    without_its_clinician: 5,
    ended_in_the_middle: 10,
}
