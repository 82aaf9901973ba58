"""A patient who permits e-mail asks for another time by the link of a letter, then says that she comes."""

from datetime import timedelta

from deploy.demo.acts import first_appointment, moment
from deploy.demo.care import see_first
from deploy.demo.patients import at_link, move_after, permits_email, secret_in
from deploy.demo.story import Resource, Story, location_of
from shared.fhir.codes import CONFIRMED_EXTENSION

TITLE = "A patient answers by link"
_ADDRESS, _BORN = "helene.moreau@mail.example", "1979-11-02"
_HOUR = timedelta(hours=1)


async def play(story: Story) -> None:
    """Record what she permits, move her visit, read her letter as she does, and find what suits her."""
    await story.until(16, "10:00")
    referral = location_of(await story.send("family-practice", "23-answers-by-link.json"), "ServiceRequest")
    await story.settled()
    await permits_email(story, referral)
    visit = await first_appointment(story, "coordinator", referral)
    await move_after(story, visit, after=story.clock.now() + timedelta(days=5))
    await story.settled()

    token = await _letter(story, number=1)
    told = await _opened(story, token)
    story.expect("the page behind the link asks her", told["asks"], told["visit"])
    words = "Le matin me convient mieux."
    await _act(story, "$answer", token, answer="tentative", comment=words)
    story.note("the patient", "asks for another time by the link of her letter", "POST links/$answer")
    await story.settled()
    stands = await first_appointment(story, "coordinator", referral)
    story.expect("her visit stands until there is another", stands["start"] == told["visit"]["start"])
    asked = await _telephone_list(story, visit)
    story.expect("the coordinator reads her words", asked[0]["note"][0]["text"] == words, asked)

    await move_after(story, visit, after=moment(stands["start"]) + timedelta(days=1))
    await story.settled()
    story.expect("nobody is left to telephone her", not await _telephone_list(story, visit))
    await _act(story, "$answer", await _letter(story, number=2), answer="accepted")
    story.note("the patient", "says that she comes", "POST links/$answer")
    await story.settled()
    now = await first_appointment(story, "coordinator", referral)
    confirmed = [one for one in now.get("extension", []) if one["url"] == CONFIRMED_EXTENSION]
    story.expect("the visit says that she confirmed it", bool(confirmed))
    await story.until_moment(moment(now["start"]) - _HOUR)
    # A day before it, and where it is further off a week before too.
    story.expect("she was reminded of it", len(story.letters(_ADDRESS)) > 2)
    await see_first(story, referral)


async def _letter(story: Story, *, number: int) -> str:
    """Give the secret in her letter of this number, which must be the last one."""
    letters = story.letters(_ADDRESS)
    story.expect(f"she has {number} letters", len(letters) == number, len(letters))
    story.expect("it is in French and names no day", "Il y a un message" in letters[-1])
    return secret_in(letters[-1])


async def _opened(story: Story, token: str) -> Resource:
    return await _act(story, "$open", token)


async def _act(story: Story, act: str, token: str, **said: str) -> Resource:
    return await at_link(story, act, token, born=_BORN, **said)


async def _telephone_list(story: Story, visit: Resource) -> list[Resource]:
    found = await story.find(
        "coordinator", "/scheduling/fhir/Task?code=tell-patient&status=requested&_count=200"
    )
    return [one for one in found if one["focus"]["reference"].endswith(visit["id"])]
