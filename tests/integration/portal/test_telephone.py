"""The telephone list: whom to call, at which number, what to say, and what the patient wrote."""

from tests.integration.portal.test_patient_links import BORN, opened, press
from tests.journeys.test_patients_hear import booked, move
from tests.support.browser import Browser
from tests.support.clinic import TestClinic
from tests.support.mailbox import Mailbox


class TestTheTelephoneList:
    async def test_says_what_a_patient_wrote_and_what_to_say(
        self, hearing: TestClinic, visitor: Browser, mailbox: Mailbox
    ) -> None:
        page = await opened(visitor, mailbox)
        await press(visitor, page, "tentative", comment="Mornings are better")
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
