"""Booking from a free time of the calendar as pages: by clinician and by room, and back to its day."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.integration.portal.test_booking import chosen, referred, reviews, times_of
from tests.support import referrals
from tests.support.browser import Browser, Seen
from tests.support.clinic import TestClinic

WEEK = "/calendar?week=2026-03-02"
TUESDAY = "2026-03-03"


def free(page: Seen, whom: str, day: str = TUESDAY) -> list[str]:
    """The links of the free times of a clinician or a room on a day."""
    [cell] = re.findall(rf'<td data-cell="{whom}/{day}">(.*?)</td>', page.html, re.DOTALL)
    return [unescape(link) for link in re.findall(r'<a class="slot free" href="([^"]*)"', cell)]


async def for_patient(browser: Browser, link: str, name: str = "tanabe") -> Seen:
    """Follow a free time, and find the patient by the name."""
    page = await browser.open(link)
    found = await browser.send(page, page.form("who"), q=name)
    assert found.status == 200, found.text
    return await browser.open(unescape(found.link_to("patient=")))


class TestBookingFromTheCalendar:
    async def test_a_free_time_of_a_clinician_is_booked_for_a_patient_and_leads_back_to_its_day(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        await referred(clinic)
        await browser.sign_in("coordinator")
        link = free(await browser.open(WEEK), "physiotherapist-2")[-1]
        page = await for_patient(browser, link)
        assert "Luc Tremblay" in page.text
        page = await browser.open(page.link_to("visit=review"))
        assert all("physiotherapist-2" in one for one in chosen(page))
        done = await browser.send(page, page.form("choose"), time=chosen(page)[2])
        [visit] = await reviews(clinic)
        assert visit["status"] == "booked"
        assert done.path.startswith(f"/calendar?week={TUESDAY}&by=clinician")
        assert done.answer.url.fragment == f"visit-{visit['id']}"
        assert f'id="visit-{visit["id"]}"' in done.html
        assert "Book: done." in done.text

    async def test_a_free_time_of_a_room_is_booked_in_that_room(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        await referred(clinic)
        await browser.sign_in("coordinator")
        link = free(await browser.open(f"{WEEK}&by=room"), "assessment-2")[-1]
        page = await for_patient(browser, link)
        page = await browser.open(page.link_to("visit=review"))
        done = await browser.send(page, page.form("choose"), time=chosen(page)[0])
        [visit] = await reviews(clinic)
        rooms = [one["actor"]["reference"] for one in visit["participant"]]
        assert any(one.endswith("Location/assessment-2") for one in rooms)
        assert done.path.startswith(f"/calendar?week={TUESDAY}&by=room")

    async def test_the_first_time_is_the_picked_one_and_chosen_already(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        await referred(clinic)
        await browser.sign_in("coordinator")
        link = free(await browser.open(WEEK), "physiotherapist-2")[0]
        page = await for_patient(browser, link)
        page = await browser.open(page.link_to("visit=review"))
        [at] = parse_qs(urlsplit(link).query)["at"]
        assert dict(page.form("choose").fields)["time"].split("|")[0] == at
        assert all(one.split("|")[0] >= at for one in chosen(page))

    async def test_no_name_of_a_patient_stands_in_an_address(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        await referred(clinic)
        await browser.sign_in("coordinator")
        page = await for_patient(browser, free(await browser.open(WEEK), "physiotherapist-2")[0])
        assert "tanabe" not in page.path.casefold()

    async def test_a_patient_is_taken_along_into_the_calendar_and_out_of_it(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        referral = await referred(clinic)
        await browser.sign_in("coordinator")
        page = await times_of(browser, referral)
        week = await browser.open(page.links["Choose in the calendar"])
        assert "Choose a free time for Tanabe" in week.text
        later = await browser.open(week.link_to("week=2026-03-09"))
        link = free(later, "physiotherapist", "2026-03-10")[-1]
        assert {"referral", "visit", "clinician", "at"} <= set(parse_qs(urlsplit(link).query))
        assert chosen(await browser.open(link))

    async def test_a_clinician_of_another_discipline_is_said_to_give_no_such_visit(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        await referred(clinic)
        await browser.sign_in("coordinator")
        page = await for_patient(browser, free(await browser.open(WEEK), "psychologist", "2026-03-05")[0])
        assert "Leila Haddad gives no visit of this programme." in page.text
        with_others = await browser.open(page.links["With anybody, in any room"])
        assert {"Review 30 minutes", "Back school 60 minutes"} <= set(with_others.links)

    async def test_where_a_visit_does_not_fit_the_refusal_names_who_and_until_when(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        referral, other = await referred(clinic), await referred(clinic, "Okabe")
        await browser.sign_in("coordinator")
        taken = await times_of(browser, other, "telephone-review")
        time = chosen(taken)[0]
        await browser.send(taken, taken.form("choose"), time=time)
        start, end, who, _ = time.split("|")
        page = await browser.open(
            f"/book?referral={referral}&visit=review&clinician={who}&at={start}&until={end}"
        )
        assert "This visit fits nowhere in Maja Lindqvist" in page.text
        refused = await browser.send(page, page.form("choose"))
        assert refused.status == 409
        assert "Maja Lindqvist has another appointment until" in refused.text
        assert await reviews(clinic) == []

    async def test_what_a_patient_had_ruled_out_can_be_booked_all_the_same(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        bundle = referrals.bundle(family="Tanabe")
        never = {name: [{"valueDate": TUESDAY}] for name in ("unavailable-from", "unavailable-to")}
        referrals.resource(bundle, "QuestionnaireResponse")["item"].append(
            {
                "linkId": "unavailable",
                "item": [{"linkId": name, "answer": answer} for name, answer in never.items()],
            }
        )
        await clinic.as_("family-practice").post("/referral/fhir", json=bundle)
        await clinic.settle()
        await browser.sign_in("coordinator")
        page = await for_patient(browser, free(await browser.open(WEEK), "physiotherapist-2")[0])
        page = await browser.open(page.link_to("visit=review"))
        assert "This visit fits nowhere" in page.text
        done = await browser.send(page, page.form("choose"))
        assert done.path.startswith(f"/calendar?week={TUESDAY}"), done.text
        [visit] = await reviews(clinic)
        assert visit["start"].startswith(TUESDAY)

    async def test_a_time_that_is_over_was_not_picked(self, clinic: TestClinic, browser: Browser) -> None:
        referral = await referred(clinic)
        await browser.sign_in("coordinator")
        link = free(await browser.open(WEEK), "physiotherapist-2")[0]
        await clinic.days(2)
        page = await browser.open(f"{link}&referral={referral}&visit=review")
        assert 'name="from"' in page.html
        assert chosen(page)[0] > "2026-03-04"

    async def test_a_patient_without_a_referral_here_is_told_of_and_another_can_be_chosen(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        await browser.sign_in("coordinator")
        link = free(await browser.open(WEEK), "physiotherapist-2")[0]
        page = await browser.open(f"{link}&patient=0198c0de-0000-7000-8000-000000000000")
        assert "There is no referral of this patient" in page.text
        assert "clinician=physiotherapist-2" in page.links["Another patient"]

    @pytest.mark.parametrize("wrong", ["clinician=nobody", "room=nowhere"])
    async def test_somebody_who_is_not_there_is_not_found(self, browser: Browser, wrong: str) -> None:
        await browser.sign_in("coordinator")
        assert (await browser.open(f"/book?{wrong}")).status == 404

    async def test_a_clinician_books_own_visits_only(self, clinic: TestClinic, browser: Browser) -> None:
        await referred(clinic)
        await browser.sign_in("physiotherapist")
        assert 'href="/calendar?week=' in (await browser.open("/day")).html
        week = await browser.open(WEEK)
        assert free(week, "physiotherapist")
        assert "physiotherapist-2" not in week.html
        page = await for_patient(browser, free(await browser.open(f"{WEEK}&by=room"), "assessment-2")[-1])
        page = await browser.open(page.link_to("visit=review"))
        assert {one.split("|")[2] for one in chosen(page)} == {"physiotherapist"}
        others = chosen(page)[0].replace("|physiotherapist|", "|physiotherapist-2|")
        refused = await browser.send(page, page.form("choose"), time=others)
        assert refused.status == 422
        assert await reviews(clinic) == []

    async def test_a_visit_leads_to_its_week_in_the_calendar(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        await referred(clinic)
        await browser.sign_in("coordinator")
        visit = (await browser.open(WEEK)).link_to("/visits/")
        week = await browser.open((await browser.open(visit)).links["The week of the visit"])
        assert f'id="visit-{visit.rpartition("/")[2]}"' in week.html

    async def test_speaks_french(self, clinic: TestClinic, browser: Browser) -> None:
        await referred(clinic)
        await browser.sign_in("coordinator")
        link = free(await browser.open(WEEK), "physiotherapist-2")[0]
        page = await browser.open(link, **{"Accept-Language": "fr-CA,fr;q=0.9"})
        assert "Retour au calendrier" in page.text
