"""The desk by keys alone: from visit to visit, and what became of each by one letter."""

import re
from datetime import datetime

from playwright.async_api import Page, expect

from tests.browser.scene import Scene
from tests.browser.site import NARROW, Site, Visitor


async def day_of(site: Site, scene: Scene) -> str:
    """Let the day of a first visit come, at its time, and give the day."""
    found = await site.clinic.as_("coordinator").get(
        f"/scheduling/fhir/Appointment?based-on=ServiceRequest/{scene.routine}"
    )
    visit = found.json()["entry"][0]["resource"]
    await site.clinic.at(datetime.fromisoformat(visit["start"]))
    return str(visit["start"][:10])


async def press(page: Page, *keys: str) -> None:
    for key in keys:
        await page.keyboard.press(key)


async def at_the_desk(visitor: Visitor) -> Page:
    """Go to the desk by keys, and to the first visit of the day."""
    page = visitor.page
    await press(page, "g", "d")
    await page.wait_for_url("**/desk")
    await page.wait_for_load_state("load")
    await press(page, "ArrowDown")
    return page


class TestKeysAlone:
    async def test_record_arrived_in_the_room_and_seen_and_put_it_right(
        self, site: Site, scene: Scene
    ) -> None:
        await day_of(site, scene)
        visitor = await site.visitor("coordinator")
        page = await at_the_desk(visitor)
        first = page.locator("[data-row]").first
        for key, done, now in (
            ("a", "Arrived: done.", "Arrived"),
            ("r", "In the room: done.", "In the room"),
            ("s", "Took place: done.", "Took place"),
        ):
            await press(page, key)
            await expect(page.locator("#status")).to_contain_text(done)
            await expect(first.locator(".pill")).to_contain_text(now)
            # The focus is on the visit again, so that the next key acts on it.
            await expect(first.locator("a[id]")).to_be_focused()
        await press(page, "u")
        await page.wait_for_url(re.compile(r"/correct-status\?"))
        await page.focus('[name="reason"]')
        await page.keyboard.type("It was the next one.")
        await press(page, "Tab", "Enter")
        await page.wait_for_url(re.compile(r"/desk\?day="))
        await expect(first.locator(".pill")).to_contain_text("Booked")
        assert visitor.said == []

    async def test_ask_before_a_miss_is_recorded(self, site: Site, scene: Scene) -> None:
        await day_of(site, scene)
        visitor = await site.visitor("coordinator")
        page = await at_the_desk(visitor)
        await press(page, "m")
        await page.wait_for_url(re.compile(r"/miss\?"))
        await page.focus("main form button.danger")
        await press(page, "Enter")
        await page.wait_for_url(re.compile(r"/desk\?day="))
        await expect(page.locator("[data-row] .pill").first).to_contain_text("Missed")

    async def test_lead_over_the_visits_by_arrows_or_letters(self, site: Site, scene: Scene) -> None:
        await day_of(site, scene)
        visitor = await site.visitor("coordinator")
        page = await at_the_desk(visitor)
        visits = page.locator("[data-row] a[id]")
        assert await visits.count() > 1
        await expect(visits.nth(0)).to_be_focused()
        await press(page, "j")
        await expect(visits.nth(1)).to_be_focused()
        await press(page, "ArrowUp")
        await expect(visits.nth(0)).to_be_focused()


class TestTwoAtTheDesk:
    async def test_do_not_record_over_each_other(self, site: Site, scene: Scene) -> None:
        await day_of(site, scene)
        visitor = await site.visitor("coordinator", script=False)
        page = await visitor.open("/desk")
        other = await site.visitor("coordinator", script=False)
        theirs = await other.open("/desk")
        await theirs.locator('[data-row] button[value="arrive"]').first.click()
        await page.locator('[data-row] button[value="check-in"]').first.click()
        await expect(page.locator("#problems")).to_be_visible()
        await expect(page.locator("[data-row] .pill").first).to_contain_text("Arrived")


class TestWithoutJavaScript:
    async def test_a_visit_is_recorded_by_a_button_on_a_narrow_phone_in_french(
        self, site: Site, scene: Scene
    ) -> None:
        await day_of(site, scene)
        visitor = await site.visitor("coordinator", script=False, size=NARROW, locale="fr-CA")
        page = await visitor.open("/desk")
        await page.locator('[data-row] button[value="check-in"]').first.click()
        await expect(page.locator("[data-row] .pill").first).to_contain_text("En salle")
