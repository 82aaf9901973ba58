"""Booking a visit as pages: without JavaScript, from the patient to the time, and refused in place."""

import re
from html import unescape
from typing import Any

import pytest

from tests.support import referrals
from tests.support.browser import Browser, Seen
from tests.support.clinic import TestClinic


async def referred(clinic: TestClinic, family: str = "Tanabe") -> str:
    """Let a patient be referred and booked; give the referral."""
    answer = await clinic.as_("family-practice").post("/referral/fhir", json=referrals.bundle(family=family))
    assert answer.status_code == 200, answer.text
    await clinic.settle()
    locations = [entry["response"]["location"] for entry in answer.json()["entry"]]
    return next(one.split("/")[1] for one in locations if one.startswith("ServiceRequest/"))


async def reviews(clinic: TestClinic) -> list[dict[str, Any]]:
    found = await clinic.as_("coordinator").get("/scheduling/fhir/Appointment?appointment-type=review")
    return [entry["resource"] for entry in found.json().get("entry", [])]


async def times_of(browser: Browser, referral: str, visit: str = "review") -> Seen:
    return await browser.open(f"/book?referral={referral}&visit={visit}")


def parts(extension: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = extension.get("extension", [])
    return found


def chosen(page: Seen) -> list[str]:
    """The times from which one is chosen."""
    return [unescape(text) for text in re.findall(r'name="time" value="([^"]*)"', page.html)]


class TestBookingAVisit:
    async def test_leads_from_the_calendar_over_the_patient_to_the_visit(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        referral = await referred(clinic)
        await browser.sign_in("coordinator")
        assert 'href="/book"' in (await browser.open("/calendar")).html
        assert 'href="/patients"' in (await browser.open("/book")).html
        assert f'href="/book?referral={referral}"' in (await browser.open(f"/referrals/{referral}")).html
        page = await times_of(browser, referral)
        choose = page.form("choose")
        done = await browser.send(page, choose, time=chosen(page)[0])
        assert done.path.startswith("/visits/"), done.text
        assert "Review visit: Tanabe" in done.text
        [visit] = await reviews(clinic)
        assert visit["status"] == "booked"

    async def test_offers_a_visit_that_the_clinic_named_since_it_was_described(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        referral = await referred(clinic)
        address = "/scheduling/fhir/HealthcareService/rapid-access"
        service = (await clinic.as_("coordinator").get(address)).json()
        [review, *_] = [one for one in service["extension"] if "review" in str(parts(one))]
        renamed = {"id": "late-review", "name": "Late review"}
        more = [
            {
                name: renamed.get(part["url"], value) if name != "url" else value
                for name, value in part.items()
            }
            for part in parts(review)
        ]
        body = service | {"extension": [*service["extension"], {"url": review["url"], "extension": more}]}
        version = {"If-Match": f'W/"{service["meta"]["versionId"]}"'}
        changed = await clinic.as_("coordinator").put(address, json=body, headers=version)
        assert changed.status_code == 200, changed.text
        await browser.sign_in("coordinator")
        page = await times_of(browser, referral, "late-review")
        assert "Late review" in page.text
        assert chosen(page)

    async def test_goes_on_with_later_times_where_more_fit_than_a_page_shows(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        referral = await referred(clinic)
        await browser.sign_in("coordinator")
        page = await times_of(browser, referral)
        [address] = re.findall(r'href="(/book[^"]*after=[^"]*)"', page.html)
        later = await browser.open(unescape(address))
        assert chosen(later)[0].split("|")[0] == chosen(page)[-1].split("|")[0]
        assert chosen(later)[-1] > chosen(page)[-1]

    async def test_a_patient_of_one_referral_needs_no_choice_of_it(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        await referred(clinic)
        await browser.sign_in("coordinator")
        found = await clinic.as_("coordinator").get("/referral/fhir/Patient?name=tanabe")
        patient = found.json()["entry"][0]["resource"]["id"]
        page = await browser.open(f"/book?patient={patient}")
        assert "Which visit, and when?" in page.text
        for text in ("First visit", "Review", "Review by video", "Back school"):
            assert text in page.text

    async def test_a_held_time_is_confirmed_or_let_go_on_its_page(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        referral = await referred(clinic)
        await browser.sign_in("coordinator")
        page = await times_of(browser, referral)
        choose = page.form("choose")
        held = await browser.send(page, choose, "hold", time=chosen(page)[1])
        assert "Held until" in held.text
        [visit] = await reviews(clinic)
        assert visit["status"] == "pending"
        form = await browser.open(f"/do/scheduling/Appointment/{visit['id']}/confirm")
        await browser.send(form, form.form("act"))
        [visit] = await reviews(clinic)
        assert visit["status"] == "booked"

    async def test_a_refusal_stands_above_the_times_that_are_left(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        referral, other = await referred(clinic), await referred(clinic, "Okabe")
        await browser.sign_in("coordinator")
        page = await times_of(browser, referral, "telephone-review")
        rival = await times_of(browser, other, "telephone-review")
        first = chosen(page)[0]
        await browser.send(rival, rival.form("choose"), time=first)
        refused = await browser.send(page, page.form("choose"), time=first)
        assert refused.status == 409
        assert "has another appointment until" in refused.text
        assert first not in chosen(refused)

    async def test_nothing_chosen_is_said_beside_the_field(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        referral = await referred(clinic)
        await browser.sign_in("coordinator")
        page = await times_of(browser, referral)
        refused = await browser.send(page, page.form("choose"))
        assert refused.status == 422
        assert "time-wrong" in refused.html

    @pytest.mark.parametrize("who", ["workplace-insurer", "operator"])
    async def test_is_for_coordinators_and_clinicians(self, browser: Browser, who: str) -> None:
        await browser.sign_in(who)
        assert (await browser.open("/book")).status == 403

    async def test_a_referrer_is_shown_first_visits_of_its_own_referral_alone(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        referral = await referred(clinic)
        await browser.sign_in("family-practice")
        page = await times_of(browser, referral, "first")
        assert "Back school" not in page.text
        refused = await browser.send(page, page.form("choose"), time=chosen(page)[0])
        assert refused.status == 409
        assert "The first appointment is booked for" in refused.text
        await browser.sign_in("second-practice")
        assert (await browser.open(f"/book?referral={referral}")).status == 404

    async def test_somebody_elses_referral_is_not_there(self, clinic: TestClinic, browser: Browser) -> None:
        referral = await referred(clinic)
        await browser.sign_in("psychologist")
        assert (await browser.open(f"/book?referral={referral}")).status == 404

    async def test_speaks_french(self, clinic: TestClinic, browser: Browser) -> None:
        referral = await referred(clinic)
        await browser.sign_in("coordinator")
        page = await browser.open(
            f"/book?referral={referral}&visit=review", **{"Accept-Language": "fr-CA,fr;q=0.9"}
        )
        assert "Heures libres" in page.text
