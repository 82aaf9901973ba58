"""The day of each role, from the landing page to the signing out, as somebody with a mouse does it."""

from datetime import datetime, timedelta

from playwright.async_api import Page, expect

from services.referral.models.questions import EMERGENCY_FLAGS, URGENT_FLAGS
from tests.browser.scene import Scene
from tests.browser.site import Site, Visitor
from tests.support import referrals
from tests.support.held import GROUP, hold

_KNOWN = {
    "family": "Tanabe-Roy",
    "given": "Yuki",
    "birth-date": "1980-05-17",
    "card": "1234567890",
    "phone": "+1 416 555 0100",
    "reason": "Low back pain for three months",
    "onset-date": "2025-12-01",
}
_CHOSEN = {
    **dict.fromkeys((*EMERGENCY_FLAGS, *URGENT_FLAGS, "chronic-multisite-pain", "opioid-dependency"), "N"),
    "episode": "first",
    "claim-workplace": "none",
    "claim-motor": "none",
    "claim-legal": "none",
    "pregnancy": "no",
}


async def write_referral(page: Page) -> None:
    """Fill in a referral that lacks nothing."""
    for name, text in _KNOWN.items():
        await page.fill(f'[name="{name}"]', text)
    for name, code in _CHOSEN.items():
        await page.check(f'[name="{name}"][value="{code}"]')
    await page.select_option('[name="payer"]', "public")


async def leave(visitor: Visitor) -> None:
    """Sign out, and see that the page that was open is for nobody now."""
    page, last = visitor.page, visitor.page.url
    # Chromium says of every refusal that it is one.
    assert [said for said in visitor.said if not said.startswith("Failed to load resource")] == []
    await page.click("details.me summary")
    await page.click('form[action="/sign-out"] button')
    await expect(page.locator("h1")).to_contain_text("Harbour Spine")
    await page.goto(last)
    assert "/auth/" in page.url


async def menu(page: Page, text: str) -> None:
    """Follow an entry of the menu."""
    await page.click(f'nav.menu a:visible:has-text("{text}")')


class TestTheDayOfAReferrer:
    async def test_asks_first_sends_then_sees_the_visit_and_answers_what_is_asked(self, site: Site) -> None:
        visitor = await site.visitor("family-practice")
        page = visitor.page
        await menu(page, "New referral")
        await write_referral(page)
        await page.check('[name="saddle-anaesthesia"][value="Y"]')
        await page.click("text=Check, without sending")
        await expect(page.locator("main")).to_contain_text("must go to an emergency department today")
        await page.check('[name="saddle-anaesthesia"][value="N"]')
        await page.click("text=Check, without sending")
        await expect(page.locator("main")).to_contain_text("It would be accepted.")
        await page.click('button[name="send"]')
        await expect(page.locator("h1")).to_contain_text("Tanabe-Roy, Yuki")
        await site.clinic.settle()
        await expect(page.locator('[data-part="standing"]')).to_contain_text("Booked")
        await expect(page.locator('[data-part="visits"] li')).to_have_count(1)
        await leave(visitor)

    async def test_answers_what_was_left_open(self, site: Site) -> None:
        asked = referrals.bundle(family="Okafor", answers={"saddle-anaesthesia": None})
        await site.clinic.as_("family-practice").post("/referral/fhir", json=asked)
        await site.clinic.settle()
        visitor = await site.visitor("family-practice")
        page = visitor.page
        await expect(page.locator("main")).to_contain_text("1 needs you")
        await page.click("main tr[data-row] a")
        await page.click("text=Add information")
        for name, code in _CHOSEN.items():
            if await page.locator(f'[name="{name}"]').count():
                await page.check(f'[name="{name}"][value="{code}"]')
        await page.click("main button.main")
        await expect(page.locator("#status")).to_contain_text("Add information: done.")
        await site.clinic.settle()
        await expect(page.locator('[data-part="standing"]')).to_contain_text("Booked")
        await leave(visitor)


class TestTheDayOfACoordinator:
    async def test_telephones_enters_a_fax_moves_a_visit_and_finds_a_patient(
        self, site: Site, scene: Scene
    ) -> None:
        await site.clinic.at(site.clinic.clock.now() + timedelta(minutes=20))
        visitor = await site.visitor("coordinator")
        page = visitor.page
        await expect(page.locator('[data-part="triage"]')).to_contain_text("Wong")
        await (
            page.locator('[data-part="triage"] [data-row]', has_text="Wong").locator("a.button").first.click()
        )
        await self._confirm(page)
        await menu(page, "Enter a referral")
        await write_referral(page)
        await page.select_option('[name="requester"]', "family-practice")
        await page.check('[name="way"][value="fax"]')
        await page.fill('[name="arrived"]', "2026-02-27")
        await page.click('button[name="send"]')
        await expect(page.locator("h1")).to_contain_text("Tanabe-Roy")
        await site.clinic.settle()
        await self._move(page)
        await site.clinic.settle()
        await page.fill("#find", "tanabe")
        await page.press("#find", "Enter")
        await page.click('main a:has-text("Tanabe-Roy")')
        await expect(page.locator("main")).to_contain_text("Thu 5 Mar 13:00")
        await leave(visitor)

    async def _confirm(self, page: Page) -> None:
        for field in await page.locator("#act textarea").all():
            await field.fill("Spoke with the practice; the patient is on the way")
        for field in await page.locator("#act select").all():
            await field.select_option(index=1)
        await page.click("#act button.main")
        await expect(page.locator("#status")).to_contain_text("done.")

    async def _move(self, page: Page) -> None:
        await menu(page, "Calendar")
        await page.locator('a:has-text("Tanabe-Roy")').first.click()
        await page.click('a.button:has-text("Move")')
        await page.fill('[name="start"]', "2026-03-05T13:00")
        await page.click("#act button.main")
        await expect(page.locator("#status")).to_contain_text("Move: done.")


class TestTheDayOfAClinician:
    async def test_sees_somebody_and_plans_with_the_team(self, site: Site) -> None:
        clinic = site.clinic
        await clinic.as_("family-practice").post("/referral/fhir", json=referrals.bundle(family="Tanabe"))
        await clinic.settle()
        visits = (await clinic.as_("physiotherapist").get("/scheduling/fhir/Appointment")).json()["entry"]
        start = datetime.fromisoformat(visits[0]["resource"]["start"])
        await clinic.at(start - timedelta(minutes=5))
        visitor = await site.visitor("physiotherapist")
        page = visitor.page
        await self._do(page, "Arrived")
        await clinic.at(start + timedelta(minutes=65))
        await page.reload()
        await self._do(page, "Took place")
        await clinic.settle()
        await page.click('[data-part="visits"] a:has-text("Tanabe")')
        patient = page.url
        await page.click('main a[href^="/plans/"]')
        await page.fill('[name="activities"]', "Graded exercise\nWalks")
        await page.click('button[value="activate"]')
        await expect(page.locator("#status")).to_contain_text("Activate: done.")
        await page.goto(patient)
        await page.click('main a[href*="/write"]')
        await page.fill('[name="text"]', "Sleeps better")
        await page.click("main button.main")
        await expect(page.locator("main")).to_contain_text("Sleeps better")
        await leave(visitor)

    async def _do(self, page: Page, text: str) -> None:
        await page.click(f'[data-part="visits"] a.button:has-text("{text}")')
        await page.click("#act button.main")
        await expect(page.locator("#status")).to_contain_text("done.")


class TestTheDayOfAnInsurer:
    async def test_decides_one_and_answers_a_call_about_it(self, site: Site, scene: Scene) -> None:
        visitor = await site.visitor("workplace-insurer")
        page = visitor.page
        await page.click('main a[href^="/claims/"]')
        await page.check('input[value="A2"]')
        await page.fill('[name="units-1"]', "12")
        await page.click("text=Send the decision")
        await expect(page.locator("#problems")).to_be_visible()
        await page.fill('[name="units-1"]', "8")
        await page.click("text=Send the decision")
        await expect(page.locator("#status")).to_contain_text("done.")
        await expect(page.locator('[data-part="grant"]')).to_contain_text("8")
        await menu(page, "To decide")
        assert await page.locator('main a[href^="/claims/"]').count() == 0
        await menu(page, "Search")
        await page.fill('[name="member"]', "M-000120")
        await page.click("#search button")
        await expect(page.locator("main")).to_contain_text("Granted: 8")
        await leave(visitor)


class TestTheDayOfAnOperator:
    async def test_sees_what_stands_lets_it_go_on_and_follows_a_referral(
        self, site: Site, scene: Scene
    ) -> None:
        await hold(site.clinic.databases[GROUP])
        visitor = await site.visitor("operator")
        page = visitor.page
        await expect(page.locator("main")).to_contain_text("1 given up")
        await menu(page, "Held events")
        await page.click('main button:has-text("Try again")')
        await expect(page.locator("main")).to_contain_text("tried again")
        await menu(page, "Trace")
        await page.fill('[name="referral"]', scene.routine)
        await page.click("#trace button")
        await expect(page.locator("main")).to_contain_text("appointment.booked")
        assert "Tanabe" not in await page.content()
        await leave(visitor)


class TestTheDayOfAPrivacyOfficer:
    async def test_finds_who_saw_a_patient_and_who_was_refused(self, site: Site, scene: Scene) -> None:
        sent = await site.clinic.as_("family-practice").get(f"/referral/fhir/ServiceRequest/{scene.routine}")
        patient = sent.json()["subject"]["reference"]
        refused = await site.clinic.as_("second-practice").get(f"/referral/fhir/{patient}")
        assert refused.status_code == 404
        visitor = await site.visitor("privacy-officer")
        page = visitor.page
        await page.fill("#patient", patient.partition("/")[2])
        await page.click("form.filters button")
        await expect(page.locator("main")).to_contain_text(f"ServiceRequest/{scene.routine}")
        await page.fill("#patient", "")
        await page.select_option("#outcome", "4")
        await page.click("form.filters button")
        await expect(page.locator("main")).to_contain_text("Bayview Family Health Team")
        await leave(visitor)
