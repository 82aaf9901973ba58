"""What people do with freed times while anything may be killed: visits are called off and moved, and those
who are asked say yes, no or nothing.
"""

from collections.abc import Mapping

from deploy.demo.acts import change, first_appointment
from deploy.demo.story import Resource, StepMissed
from tests.failure.referrals import ROUTINE
from tests.failure.scripts import SETTLED, Desk, Play, moved

_COORDINATOR = "coordinator"
_TASK = "/scheduling/fhir/Task"
_CODES = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"


async def called_off(desk: Desk) -> None:
    """Refer a patient who calls the first visit off, or whose referral is closed."""
    story, referral = desk.story(), await desk.send(ROUTINE)
    await desk.stands(story, referral, *SETTLED)
    visit = await first_appointment(story, _COORDINATOR, referral)
    why = {"coding": [{"system": _CODES, "code": desk.chance.choice(("pat", "prov"))}]}
    path = f"/scheduling/fhir/Appointment/{visit['id']}"
    await change(story, _COORDINATOR, path, status="cancelled", cancelationReason=why)


async def answered(desk: Desk) -> None:
    """Say yes or no for a patient who is asked, and often yes for another at the same time as somebody."""
    story = desk.story()

    async def asked() -> list[Resource]:
        found = await story.find(_COORDINATOR, f"{_TASK}?code=offer-time&status=requested&_count=50")
        if not found:
            raise StepMissed("nobody is asked")
        return found

    offer = desk.chance.choice(await desk.soon(asked))
    act = desk.chance.choice(("accept-offer", "accept-offer", "decline-offer"))
    try:
        await story.act(_COORDINATOR, "POST", f"{_TASK}/{offer['id']}/${act}")
    except StepMissed as missed:
        # Somebody was faster, or its time is over.
        if " answered 409: " not in str(missed):
            raise


# How often each is played, of a hundred.
OFFER_PLAYS: Mapping[Play, int] = {moved: 35, called_off: 30, answered: 35}
