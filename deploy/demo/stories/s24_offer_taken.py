"""A first visit is called off, its time offered to three patients with a later one: the first yes has it."""

from datetime import datetime, timedelta
from functools import partial

from deploy.demo.acts import first_appointment, moment
from deploy.demo.booking import free_starts
from deploy.demo.care import see_first
from deploy.demo.patients import at_link, clinician_of, move_after, permits_email, secret_in
from deploy.demo.story import Resource, Story, location_of, parameters

TITLE = "An offer taken"
_LEAVES, _READS, _OTHERS = "24-offer-taken-a.json", "24-offer-taken-c.json", ("b", "d")
_ADDRESS, _BORN = "ingrid.larsen@mail.example", "1972-06-08"
_HOUR = timedelta(hours=1)


async def play(story: Story) -> None:
    """Call off a visit; three are asked, one says yes by the link of her letter, the others keep theirs."""
    await story.until(30, "09:00")
    leaves, hers, others = await _booked(story)
    # What is offered of the times that they were moved from is over by then.
    await story.until(33, "10:00")
    freed = await first_appointment(story, "coordinator", leaves)
    before = await first_appointment(story, "coordinator", hers)
    clinician, start = clinician_of(freed), moment(freed["start"])
    await _revoke(story, leaves)
    story.expect("nobody is asked before who waits had a turn", not await _offers(story, hers))
    await story.later(minutes=6)
    for referral in (hers, *others):
        [offer] = await _offers(story, referral)
        story.expect("a patient with a later visit is asked", _offered(offer) == start, offer)
    story.expect("the time is held for them", start not in await _free(story, clinician, start))

    token = secret_in(story.letters(_ADDRESS)[-1])
    shown = await at_link(story, "$open", token, born=_BORN)
    story.expect("the page behind her link offers it", moment(shown["offer"]["start"]) == start, shown)
    await at_link(story, "$answer", token, born=_BORN, answer="accepted")
    story.note("the patient", "takes the time by the link of her letter", "POST links/$answer")
    await story.settled()
    await _taken(story, hers, others, freed=freed, before=before)
    for referral in (hers, *others):
        await story.meanwhile(partial(see_first, referral=referral))


async def _booked(story: Story) -> tuple[str, str, list[str]]:
    """Refer four patients: one is seen in a week, the others weeks after that."""
    files = (_LEAVES, _READS, *(f"24-offer-taken-{one}.json" for one in _OTHERS))
    referrals = [location_of(await story.send("family-practice", file), "ServiceRequest") for file in files]
    await story.settled()
    leaves, hers, *others = referrals
    await permits_email(story, hers)
    for referral, days in ((leaves, 7), (hers, 24), *((one, 21) for one in others)):
        visit = await first_appointment(story, "coordinator", referral)
        await move_after(story, visit, after=story.clock.now() + timedelta(days=days))
        await story.settled()
    return leaves, hers, others


async def _revoke(story: Story, referral: str) -> None:
    path = f"/referral/fhir/ServiceRequest/{referral}/$revoke"
    await story.act("family-practice", "POST", path, body=parameters(reason="The patient is well again"))
    story.note("family-practice", "revokes the referral", "$revoke")
    await story.settled()


async def _taken(story: Story, hers: str, others: list[str], *, freed: Resource, before: Resource) -> None:
    """Expect that her visit is there now, that the others keep theirs, and that hers of before is free."""
    start, now = moment(freed["start"]), await first_appointment(story, "coordinator", hers)
    story.expect("her visit is at the time that was offered", now["start"] == freed["start"], now["start"])
    for referral in others:
        ended = [one for one in await _offers(story, referral, "cancelled") if _offered(one) == start]
        story.expect("the others' offers have ended", len(ended) == 1, len(ended))
        visit = await first_appointment(story, "coordinator", referral)
        story.expect("they keep their visits", moment(visit["start"]) > start)
    left = moment(before["start"])
    free = await _free(story, clinician_of(before), left)
    story.expect("the hour that she left is free", left in free, free)


async def _free(story: Story, clinician: str, start: datetime) -> list[datetime]:
    return await free_starts(story, clinician, start, start + _HOUR)


async def _offers(story: Story, referral: str, status: str = "requested") -> list[Resource]:
    """Find the offers of a patient that stand in a state."""
    path = f"/scheduling/fhir/Task?based-on=ServiceRequest/{referral}&code=offer-time&status={status}"
    return await story.find("coordinator", path)


def _offered(offer: Resource) -> datetime:
    """Read when the time begins that is offered."""
    return next(moment(one["valuePeriod"]["start"]) for one in offer["input"] if "valuePeriod" in one)
