"""A freed time is offered by the link of a message: the first yes has it, the others hear how it ended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.clinic import Offers
from tests.integration.referral.test_correcting_a_patient import consent, correct
from tests.support import referrals
from tests.support.browser import Browser
from tests.support.clinic import TestClinic
from tests.support.context import earliest_clinic
from tests.support.mailbox import Mailbox, open_mailbox
from tests.support.patients import BORN, call, call_off, kept, put, secret_in, visit_now


@dataclass(kw_only=True)
class Waiting:
    """A patient with a visit, and the address to which letters go."""

    address: str
    visit: dict[str, Any]

    def letters(self, mailbox: Mailbox) -> list[Any]:
        pairs = zip(mailbox.letters, mailbox.recipients, strict=True)
        return [letter for letter, address in pairs if address == self.address]


async def a_patient(clinic: TestClinic, number: int) -> Waiting:
    """Refer a patient who permits e-mail, and give the first visit."""
    address = f"patient-{number}@mail.example"
    sent = referrals.bundle(
        identifier=f"R-{number}", family=f"Family{number}", health_card=f"100000000{number}"
    )
    referrals.resource(sent, "Patient").update(
        {"telecom": [{"system": "email", "value": address}], "birthDate": BORN}
    )
    answer = await clinic.as_("family-practice").post("/referral/fhir", json=sent)
    assert answer.status_code == 200, answer.text
    await clinic.settle()
    found = await clinic.as_("coordinator").get(f"/referral/fhir/Patient?family=Family{number}")
    patient = found.json()["entry"][0]["resource"]["id"]
    await correct(clinic, patient, extension=[consent("email")])
    await clinic.settle()
    visits = await clinic.as_("coordinator").get(f"/scheduling/fhir/Appointment?patient={patient}")
    return Waiting(address=address, visit=visits.json()["entry"][0]["resource"])


@asynccontextmanager
async def offered(
    others: int = 1, *, away: bool = False, pages: bool = False
) -> AsyncIterator[tuple[TestClinic, Mailbox, list[Waiting]]]:
    """Give a clinic in which a time was freed and offered to so many patients who have a later one."""
    usual = earliest_clinic()
    scheduling = usual.scheduling.model_copy(update={"offers": Offers()})
    made = usual.model_copy(update={"scheduling": scheduling})
    async with open_mailbox() as mailbox, TestClinic(clinic=made, mailbox=mailbox, pages=pages) as clinic:
        first = await a_patient(clinic, 0)
        waiting = []
        for number in range(1, others + 1):
            one = await a_patient(clinic, number)
            await later(clinic, one, days=7 + number)
            waiting.append(one)
        await clinic.at(clinic.clock.now() + timedelta(hours=2))
        mailbox.letters.clear()
        mailbox.recipients.clear()
        mailbox.answers = ["451 try later"] * 200 if away else []
        await call_off(clinic, first.visit)
        await clinic.at(clinic.clock.now() + timedelta(minutes=10))
        yield clinic, mailbox, waiting


async def close(clinic: TestClinic, at: datetime) -> None:
    """Close the site on the local day of a moment."""
    day = at.astimezone(ZoneInfo("America/Toronto")).replace(hour=0, minute=0)
    slot = {
        "resourceType": "Slot",
        "schedule": {"reference": "Schedule/toronto"},
        "status": "busy-unavailable",
        "start": day.isoformat(),
        "end": (day + timedelta(days=1)).isoformat(),
    }
    answer = await clinic.as_("coordinator").post("/scheduling/fhir/Slot", json=slot)
    assert answer.status_code == 201, answer.text
    await clinic.settle()


async def later(clinic: TestClinic, one: Waiting, *, days: int) -> None:
    now = await visit_now(clinic, one.visit)
    moved = {
        end: (clinic.clock.now().fromisoformat(now[end]) + timedelta(days=days)).isoformat()
        for end in ("start", "end")
    }
    answer = await put(clinic, now | moved)
    assert answer.status_code == 200, answer.text
    await clinic.settle()
    one.visit = answer.json()


class TestAnOffer:
    async def test_is_taken_by_link_and_ends_it(self) -> None:
        async with offered() as (clinic, mailbox, [one]):
            [letter] = one.letters(mailbox)
            secret = secret_in(letter)
            shown = (await call(clinic, "$open", secret)).json()
            assert (shown["asks"], shown["offer"]["stands"]) == (True, True)
            assert shown["offer"]["start"] < shown["visit"]["start"]
            answer = await call(clinic, "$answer", secret, answer="accepted")
            assert answer.status_code == 200, answer.text
            await clinic.settle()
            assert (await visit_now(clinic, one.visit))["start"] == shown["offer"]["start"]
            again = await call(clinic, "$answer", secret, answer="declined")
            assert again.json()["answer"]["answer"] == "accepted"
            assert len(one.letters(mailbox)) == 2, "the new time is told"

    async def test_of_which_the_answer_is_no_changes_nothing(self) -> None:
        async with offered() as (clinic, mailbox, [one]):
            await call(clinic, "$answer", secret_in(one.letters(mailbox)[0]), answer="declined")
            await clinic.settle()
            assert (await visit_now(clinic, one.visit))["start"] == one.visit["start"]
            assert len(await clinic.events("offer.declined")) == 1

    async def test_accepted_by_two_at_once_is_had_by_one_and_the_other_hears_it(self) -> None:
        async with offered(2) as (clinic, mailbox, waiting):
            secrets = [secret_in(one.letters(mailbox)[0]) for one in waiting]
            await asyncio.gather(*(call(clinic, "$answer", one, answer="accepted") for one in secrets))
            await clinic.settle()
            now = [await visit_now(clinic, one.visit) for one in waiting]
            moved = [one for one, was in zip(now, waiting, strict=True) if one["start"] != was.visit["start"]]
            assert len(moved) == 1
            loser = next(one for one in waiting if one.visit["id"] != moved[0]["id"])
            assert len(loser.letters(mailbox)) == 2
            told = (await call(clinic, "$open", secret_in(loser.letters(mailbox)[1]))).json()
            assert not told["offer"]["stands"]
            assert told["visit"]["start"] == loser.visit["start"]

    async def test_that_was_taken_ends_its_link_once_that_visit_is_called_off(self) -> None:
        async with offered() as (clinic, mailbox, [one]):
            secret = secret_in(one.letters(mailbox)[0])
            await call(clinic, "$answer", secret, answer="accepted")
            await clinic.settle()
            taken = await visit_now(clinic, one.visit)
            assert (await call(clinic, "$open", secret)).status_code == 200
            await call_off(clinic, one.visit)
            for act, said in (("$open", {}), ("$answer", {"answer": "accepted"})):
                assert (await call(clinic, act, secret, **said)).status_code == 410
            await clinic.settle()
            assert len(await clinic.events("offer.accepted")) == 1
            stands = await visit_now(clinic, one.visit)
            assert (stands["status"], stands["start"]) == ("cancelled", taken["start"])

    async def test_of_a_day_that_is_closed_is_withdrawn_and_told_so(self) -> None:
        async with offered(2) as (clinic, mailbox, waiting):
            secrets = [secret_in(one.letters(mailbox)[0]) for one in waiting]
            start = datetime.fromisoformat((await call(clinic, "$open", secrets[0])).json()["offer"]["start"])
            await close(clinic, start)
            for secret, one in zip(secrets, waiting, strict=True):
                late = await call(clinic, "$answer", secret, answer="accepted")
                assert late.status_code == 409, late.text
                told = (await call(clinic, "$open", secret_in(one.letters(mailbox)[-1]))).json()
                assert len(one.letters(mailbox)) == 2
                assert not told["offer"]["stands"]
                assert told["visit"]["start"] == one.visit["start"]
            assert await clinic.events("offer.answered") == []

    async def test_that_is_over_takes_no_answer(self) -> None:
        async with offered() as (clinic, mailbox, [one]):
            secret = secret_in(one.letters(mailbox)[0])
            tentative = await call(clinic, "$answer", secret, answer="tentative")
            assert tentative.status_code == 409
            await clinic.at(clinic.clock.now() + timedelta(hours=2))
            late = await call(clinic, "$answer", secret, answer="accepted")
            assert late.status_code == 409, late.text
            await clinic.settle()
            assert (await visit_now(clinic, one.visit))["start"] == one.visit["start"]
            assert await clinic.events("offer.answered") == []

    async def test_is_not_told_once_it_is_over_when_the_server_was_away(self) -> None:
        async with offered(away=True) as (clinic, mailbox, [one]):
            await clinic.at(clinic.clock.now() + timedelta(hours=2))
            mailbox.answers.clear()
            await clinic.at(clinic.clock.now() + timedelta(hours=2))
            links = [secret_in(letter) for letter in one.letters(mailbox)]
            shown = [(await call(clinic, "$open", secret)).json() for secret in links]
            assert [found["offer"] for found in shown if found["offer"]] == []
            rows = [row for row in await kept(clinic, "notification") if row.offer_id]
            assert {row.reason["code"] for row in rows} == {"superseded"}

    async def test_is_taken_on_its_page_which_says_what_stands_until_then(self) -> None:
        async with offered(pages=True) as (clinic, mailbox, [one]), clinic.anonymous() as http:
            patient = Browser(http)
            page = await patient.open(f"/m/{secret_in(one.letters(mailbox)[0])}")
            born = {"born.day": "17", "born.month": "5", "born.year": "1981"}
            [asks] = [form for form in page.forms if form.buttons and form.buttons[0][1] == "open"]
            page = await patient.send(page, asks, "act", **born)
            assert "An earlier time has become free" in page.text
            [takes] = [form for form in page.forms if ("act", "takes") in form.buttons]
            taken = await patient.send(page, takes, "act")
            assert "You answered: Take this time . Until another message says so" in taken.text
            assert taken.text.count("You answered:") == 1
            await clinic.settle()
            assert (await visit_now(clinic, one.visit))["start"] != one.visit["start"]
