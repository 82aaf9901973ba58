"""The page behind a patient's link, on a phone, in both languages, by keys alone and without JavaScript."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import serving
from tests.browser.site import NARROW, PHONE, WIDE, Site, visit
from tests.support.mailbox import open_mailbox
from tests.support.patients import secret_in, to_patient, told_patient


@pytest.fixture
async def link(chromium: Browser) -> AsyncIterator[tuple[Site, str]]:
    """Give a clinic's pages, and the link of a message to a patient there."""
    async with open_mailbox() as mailbox, serving(mailbox=mailbox) as clinic:
        await told_patient(clinic)
        yield Site(clinic=clinic, chromium=chromium), f"/m/{secret_in(to_patient(mailbox)[-1])}"


async def prove(page: Page) -> None:
    """Type the birth date, and open the message."""
    await page.fill("#born-day", "17")
    await page.select_option("#born-month", "5")
    await page.fill("#born-year", "1981")
    await page.click('main button[value="open"]')
    await page.wait_for_selector("#when")


class TestThePage:
    @pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (PHONE, "dark")])
    async def test_has_nothing_that_axe_finds(
        self, link: tuple[Site, str], size: tuple[int, int], scheme: str
    ) -> None:
        site, path = link
        visitor = await visit(site.chromium, site.clinic.base_url, size=size, scheme=scheme)
        page = await visitor.open(path)
        assert await visitor.violations() == []
        await prove(page)
        for summary in await page.locator("summary").all():
            await summary.click()
        assert await visitor.violations() == []
        await page.click('button[value="accepted"]')
        await expect(page.locator("#status")).to_contain_text("Thank you")
        assert await visitor.violations() == []
        assert visitor.said == []
        await page.click('button[value="intake"]')
        await page.wait_for_selector(".wrong")
        assert await visitor.violations() == []

    async def test_fits_320_pixels_in_french_and_widely_spaced(self, link: tuple[Site, str]) -> None:
        site, path = link
        visitor = await visit(site.chromium, site.clinic.base_url, size=NARROW, locale="fr-CA")
        page = await visitor.open(path)
        assert await page.get_attribute("html", "lang") == "fr"
        assert not await visitor.overflows()
        await prove(page)
        await visitor.space_widely()
        assert not await visitor.overflows()
        assert re.search(r"heure .*Est", await page.inner_text("#when"))

    async def test_is_answered_by_keys_alone_and_without_javascript(self, link: tuple[Site, str]) -> None:
        site, path = link
        visitor = await visit(site.chromium, site.clinic.base_url, size=PHONE, script=False)
        page = await visitor.open(path)
        await page.focus("#born-day")
        await page.keyboard.type("17")
        await page.keyboard.press("Tab")
        await page.keyboard.type("May")
        await page.keyboard.press("Tab")
        await page.keyboard.type("1981")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#when")
        await page.focus("details:nth-of-type(1) summary")
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await page.keyboard.type("Mornings")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("text=You answered:")
        assert "Mornings" in await page.inner_text("main")

    async def test_of_a_wrong_birth_date_keeps_what_was_typed(self, link: tuple[Site, str]) -> None:
        site, path = link
        visitor = await visit(site.chromium, site.clinic.base_url, size=PHONE)
        page = await visitor.open(path)
        await page.fill("#born-day", "18")
        await page.select_option("#born-month", "5")
        await page.fill("#born-year", "1981")
        await page.click('main button[value="open"]')
        await expect(page.locator("#problem")).to_contain_text("does not open")
        assert await page.input_value("#born-year") == "1981"
        await prove(page)

    async def test_changes_its_language_with_what_was_typed_and_enter_only_opens(
        self, link: tuple[Site, str]
    ) -> None:
        site, path = link
        visitor = await visit(site.chromium, site.clinic.base_url, size=PHONE, script=False)
        page = await visitor.open(path)
        await page.fill("#born-day", "17")
        await page.click('button[name="language"]')
        await page.wait_for_selector('html[lang="fr"]')
        assert await page.input_value("#born-day") == "17"
        await prove(page)
        await page.fill('[name="intake.goal"]', "Monter l'escalier")
        await page.fill('[name="intake.pain-now"]', "7,5")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#when")
        assert await page.locator("text=Vous avez répondu").count() == 0
        assert await page.input_value('[name="intake.goal"]') == "Monter l'escalier"
        await page.click('button[value="intake"]')
        await expect(page.locator('[id="intake.pain-now-wrong"]')).to_contain_text("de 0 à 10")
        await page.click('button[name="language"]')
        await page.wait_for_selector('html[lang="en"]')
        assert await page.input_value('[name="intake.pain-now"]') == "7,5"
