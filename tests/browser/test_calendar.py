"""The calendar by keys alone: over its times by arrows, a free one booked, and back to the booked visit."""

import re

from playwright.async_api import Page, expect

from tests.browser.scene import Scene
from tests.browser.site import Site

_WEEK = "/calendar?week=2026-03-09"
_FOCUSED = "document.activeElement.closest('[data-cell]')?.dataset.cell ?? ''"


async def focused_cell(page: Page) -> str:
    """Say of whom and of which day the time is that has the focus."""
    cell: str = await page.evaluate(_FOCUSED)
    return cell


async def press(page: Page, *keys: str) -> None:
    for key in keys:
        await page.keyboard.press(key)


class TestArrows:
    async def test_lead_up_and_down_a_day_and_to_the_next_day(self, site: Site, scene: Scene) -> None:
        visitor = await site.visitor("coordinator")
        page = await visitor.open(_WEEK)
        await page.focus("[data-grid]")
        await press(page, "ArrowDown")
        first = await focused_cell(page)
        person, _, day = first.partition("/")
        await press(page, "ArrowDown", "ArrowDown")
        below = await focused_cell(page)
        assert (below.partition("/")[2], below.partition("/")[0] != person) == (day, True)
        await press(page, "ArrowUp", "ArrowUp")
        assert await focused_cell(page) == first
        await press(page, "ArrowRight")
        beside = (await focused_cell(page)).partition("/")[2]
        assert beside > day
        await press(page, "ArrowLeft")
        assert (await focused_cell(page)).partition("/")[2] == day
        assert visitor.said == []

    async def test_stay_where_nothing_lies_further_on(self, site: Site, scene: Scene) -> None:
        visitor = await site.visitor("coordinator")
        page = await visitor.open(_WEEK)
        await page.focus("[data-grid]")
        await press(page, "ArrowDown", "ArrowUp", "ArrowLeft")
        assert await focused_cell(page)


async def choose_a_review(page: Page) -> None:
    """Find the patient by the name and choose a review, by keys alone, up to the times that are free."""
    await expect(page.locator("#q")).to_be_focused()
    await page.keyboard.type("tanabe")
    await press(page, "Enter")
    await expect(page.locator('main a[href*="patient="]').first).to_be_focused()
    await press(page, "Enter")
    await page.wait_for_url(re.compile("patient="))
    await expect(page.locator('main a[href*="visit="]').first).to_be_focused()
    await press(page, "Tab", "Enter")
    await page.wait_for_url(re.compile("visit=review"))
    await expect(page.locator('input[name="time"]').first).to_be_focused()


class TestKeysAlone:
    async def test_book_a_free_time_for_a_patient_and_come_back_to_it(self, site: Site, scene: Scene) -> None:
        visitor = await site.visitor("coordinator")
        page = visitor.page
        await press(page, "g", "c")
        await page.wait_for_url("**/calendar")
        await page.focus('[aria-label="The week after"]')
        await press(page, "Enter")
        await page.wait_for_url("**/calendar?*week=2026-03-09*")
        await page.focus('[data-cell="physiotherapist-2/2026-03-10"] a.free')
        await press(page, "Enter")
        await page.wait_for_url("**/book?*")
        await choose_a_review(page)
        await press(page, "ArrowDown", "Enter")
        await page.wait_for_url(re.compile(r"/calendar\?week=2026-03-10&by=clinician.*#visit-"))
        await expect(page.locator("#status")).to_contain_text("Book: done.")
        assert await focused_cell(page) == "physiotherapist-2/2026-03-10"
        assert "Tanabe" in await page.inner_text(":focus")
        await press(page, "ArrowUp")
        assert (await focused_cell(page)).endswith("/2026-03-10")
        assert visitor.said == []

    async def test_keep_their_place_when_somebody_else_books(self, site: Site, scene: Scene) -> None:
        visitor = await site.visitor("coordinator")
        page = await visitor.open(_WEEK)
        await expect(page.locator("#live")).to_contain_text("Live")
        cell = '[data-cell="physiotherapist-2/2026-03-10"]'
        await page.focus(f"{cell} a.free")
        other = await site.visitor("coordinator")
        theirs = await other.open(_WEEK)
        await theirs.goto(f"{other.base}{await theirs.get_attribute(f'{cell} a.free', 'href')}")
        await choose_a_review(theirs)
        await press(theirs, "Enter")
        await theirs.wait_for_url(re.compile("#visit-"))
        await site.clinic.settle()
        await expect(page.locator(cell)).to_contain_text("Tanabe")
        assert await focused_cell(page) == "physiotherapist-2/2026-03-10"


class TestWithoutJavaScript:
    async def test_a_room_is_booked_by_tab_and_enter(self, site: Site, scene: Scene) -> None:
        visitor = await site.visitor("coordinator", script=False)
        page = await visitor.open(f"{_WEEK}&by=room")
        await page.focus('[data-cell="assessment-2/2026-03-10"] a.free')
        await press(page, "Enter")
        await page.wait_for_url("**/book?*")
        await page.focus("#q")
        await page.keyboard.type("tanabe")
        await press(page, "Enter")
        await page.focus('main a[href*="patient="]')
        await press(page, "Enter")
        await page.focus('main a[href*="visit=review"]')
        await press(page, "Enter")
        await page.focus('input[name="time"]:checked')
        await press(page, "Enter")
        await page.wait_for_url(re.compile(r"by=room.*#visit-"))
        await expect(page.locator('[data-cell="assessment-2/2026-03-10"]')).to_contain_text("Tanabe")
