"""The telephone list: whom to call, at which number, what to say, and what the patient wrote."""

from datetime import datetime
from typing import Any

from shared.clinic import Offers
from tests.integration.portal.test_patient_links import BORN, opened, press
from tests.integration.scheduling.test_doors import PAT, first_of, put
from tests.support import referrals
from tests.support.browser import Browser
from tests.support.clinic import TestClinic
from tests.support.context import earliest_clinic
from tests.support.mailbox import Mailbox
from tests.support.patients import booked, move


class TestTheTelephoneList:
    async def test_says_what_a_patient_wrote_and_what_to_say(
        self, hearing: TestClinic, visitor: Browser, mailbox: Mailbox
    ) -> None:
        page = await opened(visitor, mailbox)
        await press(visitor, page, "tentative", **{"comment.tentative": "Mornings are better"})
        await hearing.settle()
        async with hearing.anonymous() as http:
            desk = Browser(http)
            await desk.sign_in("coordinator")
            listed = await desk.open("/telephone")
            assert "Mornings are better" in listed.text
            assert "You asked for another time than" in listed.text
            assert "This is Harbour Spine" in listed.text
            assert BORN["born.year"] in listed.text
            assert "/visits/" in listed.link_to("/visits/")
            french = await desk.open("/telephone", **{"Accept-Language": "fr-CA"})
            assert "Vous avez demandé un autre moment que le" in french.text

    async def test_is_ticked_when_the_patient_was_told(
        self, hearing: TestClinic, visitor: Browser, mailbox: Mailbox
    ) -> None:
        mailbox.answers = ["550 no such mailbox"] * 6
        await move(hearing, await booked(hearing))
        async with hearing.anonymous() as http:
            desk = Browser(http)
            await desk.sign_in("coordinator")
            listed = await desk.open("/telephone")
            assert "no number is known" in listed.text
            assert "Your appointment is on" in listed.text
            act = await desk.open(listed.links["The patient was told"])
            done = await desk.send(act, act.form("act"))
            assert "Nobody is to be telephoned." in done.text


async def sent(clinic: TestClinic, number: int) -> dict[str, Any]:
    """Send a referral of a patient of its own, and give the first visit that is booked for it."""
    bundle = referrals.bundle(
        identifier=f"R-{number}", family=f"Patient{number}", health_card=f"10000000{number:02}"
    )
    answer = await clinic.as_("family-practice").post("/referral/fhir", json=bundle)
    assert answer.status_code == 200, answer.text
    await clinic.settle()
    places = [entry["response"]["location"] for entry in answer.json()["entry"]]
    [request] = [one for one in places if "ServiceRequest/" in one]
    return await first_of(clinic, request.partition("ServiceRequest/")[2].partition("/")[0])


class TestAFreedTime:
    async def test_is_asked_for_by_telephone_and_had_by_who_says_yes(self) -> None:
        usual = earliest_clinic()
        offering = usual.scheduling.model_copy(update={"offers": Offers()})
        described = usual.model_copy(update={"scheduling": offering})
        async with TestClinic(pages=True, clinic=described) as clinic, clinic.anonymous() as http:
            visits = [await sent(clinic, number) for number in range(26)]
            await clinic.at(datetime.fromisoformat("2026-03-02T15:00:00Z"))
            reason = {"coding": [{"system": PAT, "code": "pat"}]}
            off = visits[4] | {"status": "cancelled", "cancelationReason": reason}
            assert (await put(clinic, "coordinator", off)).status_code == 200
            await clinic.days(6 / 1440)
            desk = Browser(http)
            await desk.sign_in("coordinator")
            listed = await desk.open("/telephone")
            assert "A time has become free on" in listed.text
            french = await desk.open("/telephone", **{"Accept-Language": "fr-CA"})
            assert "Une heure s'est libérée" in french.text.replace("&#39;", "'")
            act = await desk.open(listed.links["Takes the time"])
            done = await desk.send(act, act.form("act"))
            assert "Takes the time: done." in done.text
            assert "A time has become free on" not in done.text


class TestAPatientWhoMissedTwoVisits:
    async def test_is_asked_whether_they_would_like_to_come(self, hearing: TestClinic) -> None:
        for _ in range(2):
            visit = await booked(hearing)
            await hearing.at(datetime.fromisoformat(visit["start"]))
            assert (await put(hearing, "coordinator", visit | {"status": "noshow"})).status_code == 200
            await hearing.settle()
        async with hearing.anonymous() as http:
            desk = Browser(http)
            await desk.sign_in("coordinator")
            listed = await desk.open("/telephone")
            assert "We missed you at your last two appointments." in listed.text
            assert "The patient was called" in str(listed.links)


class TestThePageOfAPatient:
    async def test_says_what_was_sent_and_whether_it_arrived(
        self, hearing: TestClinic, visitor: Browser, mailbox: Mailbox
    ) -> None:
        mailbox.answers = ["550 no such mailbox"] * 6
        await move(hearing, await booked(hearing))
        patients = (await hearing.as_("coordinator").get("/referral/fhir/Patient")).json()
        address = f"/patients/{patients['entry'][0]['resource']['id']}"
        async with hearing.anonymous() as http:
            desk = Browser(http)
            await desk.sign_in("coordinator")
            page = await desk.open((await desk.open(address)).link_to("/sent"))
            assert page.text.count("A visit got another time") == 2
            assert "The mail server refused the message." in page.text
            assert "e-mail" in page.text
