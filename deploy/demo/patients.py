"""What a patient does who reads letters, and what a coordinator records and moves for one."""

import re
from datetime import datetime, timedelta

from deploy.demo.acts import change
from deploy.demo.booking import free_starts
from deploy.demo.care import patient_of
from deploy.demo.parties import PATIENT
from deploy.demo.story import Resource, StepMissed, Story
from shared.fhir.codes import CHANNEL_CONSENT_EXTENSION

_HOUR = timedelta(hours=1)
_TWO_WEEKS = timedelta(days=14)


async def permits_email(story: Story, referral: str) -> None:
    """Record that a patient permits e-mail."""
    said = [
        {"url": "channel", "valueCode": "email"},
        {"url": "permitted", "valueBoolean": True},
        {"url": "date", "valueDate": story.clock.now().astimezone(story.zone).date().isoformat()},
    ]
    path = f"/referral/fhir/{await patient_of(story, referral)}"
    consent = {"url": CHANNEL_CONSENT_EXTENSION, "extension": said}
    await change(story, "coordinator", path, extension=[consent])
    story.note("coordinator", "records that a patient permits e-mail", "PUT Patient")
    await story.settled()


async def move_after(story: Story, visit: Resource, *, after: datetime) -> None:
    """Give a visit an hour of its clinician that is free after a moment."""
    starts = await free_starts(story, clinician_of(visit), after, after + _TWO_WEEKS)
    if not starts:
        raise StepMissed("two weeks have no free hour")
    path = f"/scheduling/fhir/Appointment/{visit['id']}"
    await change(story, "coordinator", path, start=starts[0].isoformat(), end=(starts[0] + _HOUR).isoformat())
    story.note("coordinator", "moves a visit", "PUT Appointment")


def clinician_of(visit: Resource) -> str:
    """Name the clinician who leads a visit."""
    actors = [str(one["actor"].get("reference", "")) for one in visit["participant"]]
    return next(one.rpartition("/")[2] for one in actors if "Practitioner/" in one)


def secret_in(letter: str) -> str:
    """Give the secret of the link in a letter."""
    found = re.search(r"/m/([\w-]+)", letter)
    if found is None:
        raise StepMissed("the letter has no link")
    return found.group(1)


async def at_link(story: Story, act: str, token: str, *, born: str, **said: str) -> Resource:
    """Act as the patient behind the link of a letter: $open, $answer."""
    body = {"token": token, "birth_date": born, **said}
    answer: Resource = (await story.act(PATIENT, "POST", f"/notifications/links/{act}", body=body)).json()
    return answer
