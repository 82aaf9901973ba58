"""Calendar links as pages: one is made, its address is shown once, and it is revoked."""

import re

from icalendar import Calendar

from tests.support.browser import Browser, Seen
from tests.support.clinic import TestClinic

PAGE = "/calendar/links"


def address_on(page: Seen) -> str:
    [address] = re.findall(r'<input id="address" readonly value="([^"]*)"', page.html)
    return str(address)


class TestALink:
    async def test_is_shown_once_read_by_a_calendar_program_and_revoked(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        await browser.sign_in("coordinator")
        page = await browser.open((await browser.open("/calendar")).link_to(PAGE))
        assert "No link stands." in page.text
        made = await browser.send(page, page.form("new-link"), whose="rooms/gym")
        address = address_on(made)
        answer = await clinic.anonymous().get(address)
        assert Calendar.from_ical(answer.content).calendar_name == "Gym"
        again = await browser.open(PAGE)
        assert address not in again.html
        [revoke] = [form for form in again.forms if form.buttons and form.buttons[0][0] == "revoke"]
        done = await browser.send(again, revoke, "revoke")
        assert "No link stands." in done.text
        assert (await clinic.anonymous().get(address)).status_code == 404

    async def test_is_a_clinicians_own_without_a_choice(self, clinic: TestClinic, browser: Browser) -> None:
        await browser.sign_in("physiotherapist")
        page = await browser.open(PAGE)
        assert 'name="whose"' not in page.html
        made = await browser.send(page, page.form("new-link"))
        answer = await clinic.anonymous().get(address_on(made))
        assert Calendar.from_ical(answer.content).calendar_name == "Maja Lindqvist"

    async def test_of_nobody_is_asked_for_again(self, clinic: TestClinic, browser: Browser) -> None:
        await browser.sign_in("coordinator")
        page = await browser.open(PAGE)
        refused = await browser.send(page, page.form("new-link"), whose="")
        assert refused.status == 422
        assert "This is needed." in refused.text

    async def test_is_made_in_the_readers_language(self, clinic: TestClinic, browser: Browser) -> None:
        french = {"Accept-Language": "fr-CA,fr;q=0.9"}
        await browser.sign_in("coordinator")
        page = await browser.open(PAGE, **french)
        assert "Liens de calendrier" in page.text
        made = await browser.send(page, page.form("new-link"), headers=french, whose="rooms/gym")
        assert address_on(made)
        [link] = (await clinic.as_("coordinator").get("/scheduling/calendar-links")).json()["rows"]
        assert link["language"] == "fr"
