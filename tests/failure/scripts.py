"""The stories' traffic as scripts: what each party does with one referral, while anything may be killed.

A script waits for nothing but what it needs next; the auditor judges, not the script.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from deploy.demo import insurer
from deploy.demo.acts import business_status, change, first_appointment, moment, process_task
from deploy.demo.bundles import example
from deploy.demo.care import activate_plan, complete_plan, plan_of, record_pain
from deploy.demo.story import Resource, StepMissed, Story, location_of, parameters
from deploy.demo.timetable import Script
from shared.clock import SystemClock, monotonic
from tests.failure.history import History
from tests.failure.referrals import ROUTINE, a_referral, new_key, sender_of
from tests.failure.road import Roads

T = TypeVar("T")
_LOOKS_EVERY = 0.25
_SITE = ZoneInfo("America/Toronto")
SETTLED = ("booked", "waitlisted")


class AtOnce(Script):
    """A script that waits for no moment: the clinic of the failure tests lives by the real clock."""

    def __init__(self) -> None:
        self.name = "at once"

    async def until(self, moment: datetime) -> None:
        await asyncio.sleep(0)


@dataclass(kw_only=True)
class Desk:
    """What the scripts share: `booked` are appointments, `measured` referrals whose patients are in care.

    `days_pass` moves an appointment into the past, as waiting for it would.
    """

    roads: Roads
    history: History
    chance: random.Random
    over: Callable[[], bool]
    days_pass: Callable[[str], Awaitable[None]]
    numbers: Callable[[], int]
    booked: list[str] = field(default_factory=list)
    measured: list[str] = field(default_factory=list)

    def story(self) -> Story:
        """Begin a story of the demo's kind, so that its acts can be used."""
        return Story(
            number=0,
            title="",
            script=AtOnce(),
            clock=SystemClock(),
            begin=datetime.now(UTC),
            zone=_SITE,
            parties=self.roads,
            timeline=[],
            letters=lambda address: [],
        )

    async def send(self, file: str, *, number: int | None = None, again: int = 0, died: bool = False) -> str:
        """Send an example as its practice, for a patient of its own, and give the referral's id."""
        number = self.numbers() if number is None else number
        token, body = a_referral(file, number, again=again, died=died)
        client = await self.roads(sender_of(file))
        headers = {"content-type": "application/fhir+json", "idempotency-key": new_key()}
        answer = await client.post("/referral/fhir", content=body, headers=headers | {_IDENTIFIER: token})
        if answer.status_code != 200:
            raise StepMissed(f"a referral was answered {answer.status_code}: {answer.text[:300]}")
        return location_of(answer, "ServiceRequest")

    async def soon(self, step: Callable[[], Awaitable[T]], *, within: float = 60.0) -> T:
        """Take a step as soon as it can be taken; raises StepMissed when it never can."""
        deadline = monotonic() + within
        while True:
            try:
                return await step()
            except (StepMissed, LookupError):
                if monotonic() > deadline or self.over():
                    raise
                await asyncio.sleep(_LOOKS_EVERY)

    async def stands(self, story: Story, referral: str, *states: str) -> Resource:
        """Wait until the referral stands at one of these."""

        async def look() -> Resource:
            task = await process_task(story, "coordinator", referral)
            if business_status(task) not in states:
                raise StepMissed(f"it is {business_status(task)}")
            return task

        return await self.soon(look)


_IDENTIFIER = "x-test-identifier"
Play = Callable[[Desk], Awaitable[None]]


async def routine(desk: Desk) -> None:
    """Send a routine referral and look no further."""
    await desk.send(ROUTINE)


async def moved(desk: Desk) -> None:
    """Refer, and give the first appointment the same time some weeks later; often somebody has it."""
    story = desk.story()
    referral = await desk.send(ROUTINE)
    await desk.stands(story, referral, *SETTLED)
    appointment = await first_appointment(story, "coordinator", referral)
    desk.booked.append(str(appointment["id"]))
    path = f"/scheduling/fhir/Appointment/{appointment['id']}"
    later = timedelta(days=7 * desk.chance.randint(1, 3))
    times = {name: moment(appointment[name]) + later for name in ("start", "end")}
    await change(
        story, "coordinator", path, **{name: f"{at:%Y-%m-%dT%H:%M:%SZ}" for name, at in times.items()}
    )


async def cancelled(desk: Desk) -> None:
    """Refer, and cancel the first appointment for the clinic: it is booked anew at once."""
    story = desk.story()
    referral = await desk.send(ROUTINE)
    await desk.stands(story, referral, *SETTLED)
    appointment = await first_appointment(story, "coordinator", referral)
    path = f"/scheduling/fhir/Appointment/{appointment['id']}"
    why = {"coding": [{"system": _CANCELLATION, "code": "prov"}], "text": "The clinician is ill"}
    await change(story, "coordinator", path, status="cancelled", cancelationReason=why)


async def cared_for(desk: Desk) -> None:
    """Refer, see the patient, plan, measure, and discharge."""
    story = desk.story()
    referral = await desk.send(ROUTINE)
    await desk.stands(story, referral, *SETTLED)
    appointment = await first_appointment(story, "coordinator", referral)
    path = f"/scheduling/fhir/Appointment/{appointment['id']}"
    await desk.days_pass(str(appointment["id"]))
    await change(story, "coordinator", path, status="arrived")
    if desk.chance.random() < 0.3:
        return
    await change(story, "coordinator", path, status="fulfilled")
    await desk.stands(story, referral, "assessed", "in-programme")
    await desk.soon(lambda: plan_of(story, "physiatrist", referral))
    await record_pain(story, "physiatrist", referral, 7)
    desk.measured.append(referral)
    if desk.chance.random() < 0.3 or len(desk.measured) < 2:
        return
    await activate_plan(story, "physiatrist", referral)
    await desk.stands(story, referral, "in-programme")
    desk.measured.remove(referral)
    await complete_plan(story, "physiatrist", referral, "Goals reached")


async def saved_again(desk: Desk) -> None:
    """Put an appointment back as it is: a command to scheduling that changes nothing."""
    if desk.booked:
        path = f"/scheduling/fhir/Appointment/{desk.chance.choice(desk.booked)}"
        await change(desk.story(), "coordinator", path)


async def measured_again(desk: Desk) -> None:
    """Measure a patient in care once more."""
    if desk.measured:
        referral = desk.chance.choice(desk.measured)
        await record_pain(desk.story(), "physiatrist", referral, desk.chance.randint(0, 10))


async def missed(desk: Desk) -> None:
    """Refer, and the patient does not come: another time is booked."""
    story = desk.story()
    referral = await desk.send("11-missed.json")
    await desk.stands(story, referral, *SETTLED)
    appointment = await first_appointment(story, "coordinator", referral)
    await desk.days_pass(str(appointment["id"]))
    await change(story, "coordinator", f"/scheduling/fhir/Appointment/{appointment['id']}", status="noshow")


async def emergency(desk: Desk) -> None:
    """Send an emergency, and mostly acknowledge what the clinic answers."""
    story = desk.story()
    referral = await desk.send("02-cauda-equina.json")
    await desk.stands(story, referral, "emergency-redirected")
    if desk.chance.random() < 0.7:
        await _operate(
            story, "family-practice", referral, "acknowledge", parameters(reason="Sent there by ambulance")
        )


async def something_missing(desk: Desk) -> None:
    """Send without the answers, and give them when they are asked for."""
    story = desk.story()
    referral = await desk.send("03-something-missing.json")
    await desk.stands(story, referral, "information-requested")
    if desk.chance.random() < 0.8:
        answers = example("03-something-missing-answers.json", at=datetime.now(UTC))
        await _operate(story, "second-practice", referral, "provide-information", answers)


async def approved(desk: Desk) -> None:
    """Refer a workplace injury; its insurer approves, and the sessions are booked."""
    await asked_of(desk, "04-workplace-insurer.json", "workplace-insurer", "A1")


async def pended(desk: Desk) -> None:
    """Refer a motor-vehicle injury; its insurer takes time, then approves or denies."""
    last = desk.chance.choice(("A1", "A3"))
    referral = await asked_of(desk, "05-motor-vehicle-insurer.json", "motor-insurer", "A4", last)
    if last == "A3":
        story = desk.story()
        await _operate(story, "coordinator", referral, "close", parameters(reason="Care near home"))


async def denied(desk: Desk) -> None:
    """Refer a motor-vehicle injury that its insurer denies."""
    await asked_of(desk, "06-denied.json", "motor-insurer", "A3")


async def under_age(desk: Desk) -> None:
    """Refer somebody who is too young."""
    await desk.stands(desk.story(), await desk.send("07-under-eighteen.json"), "declined")


async def sent_again(desk: Desk) -> None:
    """Send the same twice, and a third time with new ids, which is merged."""
    story, number = desk.story(), desk.numbers()
    referral = await desk.send("08-sent-once.json", number=number)
    again = await desk.send("08-sent-once.json", number=number)
    if again != referral:
        desk.history.complaints.append(f"I10: {referral}, sent again, was answered {again}")
    await desk.stands(story, referral, *SETTLED)
    other = await desk.send("08-sent-with-new-ids.json", number=number, again=1)
    await desk.stands(story, other, "duplicate-suspected")
    into = parameters(into={"reference": f"ServiceRequest/{referral}"}, reason="Sent twice")
    await _operate(story, "coordinator", other, "merge", into)


async def corrected(desk: Desk) -> None:
    """Send a referral again with a red flag that was forgotten, and mostly acknowledge the emergency."""
    story, number = desk.story(), desk.numbers()
    referral = await desk.send("13-corrected.json", number=number)
    if desk.chance.random() < 0.7:
        await desk.stands(story, referral, *SETTLED)
    again = await desk.send("13-corrected-red-flag.json", number=number)
    if again != referral:
        desk.history.complaints.append(f"I10: {referral}, corrected, was answered {again}")
    if desk.chance.random() < 0.7:
        await _operate(story, "family-practice", referral, "acknowledge", parameters(reason="On the way"))


async def urgent(desk: Desk) -> None:
    """Send signs of infection, which mostly the physiatrist decides."""
    story = desk.story()
    referral = await desk.send("14-urgent.json")
    await desk.stands(story, referral, "awaiting-review")
    verb = desk.chance.choice(("accept", "decline", ""))
    if verb:
        await _operate(story, "physiatrist", referral, verb, parameters(reason="Read and examined"))


async def two_practices(desk: Desk) -> None:
    """Refer one person by two practices under two names, merge the records, and mostly unmerge them."""
    story, number = desk.story(), desk.numbers()
    first = await desk.send("15-one-person.json", number=number)
    second = await desk.send("15-one-person-misspelt.json", number=number)
    records = [await _patient_of(story, referral) for referral in (first, second)]
    into = {"reference": f"Patient/{records[0]}"}
    merge = parameters(into=into, reason="The name was misspelt")
    await story.act("coordinator", "POST", f"/referral/fhir/Patient/{records[1]}/$merge", body=merge)
    await desk.send("15-one-person-misspelt.json", number=number, again=1)
    if desk.chance.random() < 0.6:
        body = parameters(reason="They are cousins")
        await story.act("coordinator", "POST", f"/referral/fhir/Patient/{records[1]}/$unmerge", body=body)


async def died(desk: Desk) -> None:
    """Refer, and send the same again because the patient has died; booked or not, nothing is to come."""
    story, number = desk.story(), desk.numbers()
    referral = await desk.send(ROUTINE, number=number)
    if desk.chance.random() < 0.5:
        await desk.stands(story, referral, *SETTLED)
    await desk.send(ROUTINE, number=number, died=True)
    if desk.chance.random() < 0.5:
        body = parameters(reason="The patient has died")
        await _operate(story, "coordinator", referral, "close", body)


async def _patient_of(story: Story, referral: str) -> str:
    request = await story.read("coordinator", f"/referral/fhir/ServiceRequest/{referral}")
    return str(request["subject"]["reference"]).rpartition("/")[2]


async def revoked(desk: Desk) -> None:
    """Refer, and take it back, booked or not."""
    story = desk.story()
    referral = await desk.send("09-revoked.json")
    if desk.chance.random() < 0.7:
        await desk.stands(story, referral, *SETTLED)
    await _operate(story, "second-practice", referral, "revoke", parameters(reason="Moved away"))


async def _operate(story: Story, party: str, referral: str, verb: str, body: bytes | Resource) -> None:
    await story.act(party, "POST", f"/referral/fhir/ServiceRequest/{referral}/${verb}", body=body)


async def asked_of(desk: Desk, file: str, payer: str, *answers: str) -> str:
    """Refer somebody whose payer is asked, let it answer, and give the referral's id."""
    story = desk.story()
    referral = await desk.send(file)
    patient = await _patient_of(story, referral)

    async def claim() -> Resource:
        found = await story.find(payer, f"/referral/fhir/Claim?patient=Patient/{patient}&status=active")
        if len(found) != 1:
            raise StepMissed(f"{payer} sees {len(found)} Claims")
        return found[0]

    asked = await desk.soon(claim)
    for action in answers:
        await insurer.answer(story, payer, asked, action, weeks=12)
    return referral


_CANCELLATION = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
# How often each is played, of a hundred.
PLAYS: Mapping[Play, int] = {
    routine: 15,
    two_practices: 3,
    died: 2,
    corrected: 3,
    urgent: 3,
    moved: 8,
    cancelled: 6,
    cared_for: 12,
    missed: 6,
    emergency: 8,
    something_missing: 8,
    approved: 6,
    pended: 4,
    denied: 4,
    under_age: 3,
    sent_again: 5,
    revoked: 4,
}
# The same with many more referrals, so that some are sent at every moment.
STEADY_PLAYS: Mapping[Play, int] = {**PLAYS, routine: 200}
# Single commands to scheduling and careteam, which wait for nothing.
STEPS: Sequence[Play] = (saved_again, measured_again)
