"""What holds for every page of every party: accessible in two widths and schemes, quiet, narrow, French."""

import pytest

from tests.browser.scene import SCRIPT, Scene, hold_first_visit
from tests.browser.site import NARROW, PEOPLE, PHONE, WIDE, Site, all_pages


def also_of(party: str, scene: Scene) -> list[str]:
    """Name the referrals that a party must see whatever stands first in its lists."""
    if party not in ("referrer", "coordinator"):
        return []
    return [f"/referrals/{scene.routine}", f"/referrals/{scene.hostile}"]


@pytest.mark.parametrize("party", PEOPLE)
class TestEveryPageOf:
    """One clinic for each test and party: the pages are many, and the clinic is the same for all of them."""

    async def test_has_nothing_that_axe_finds_wide_or_narrow_light_or_dark(
        self, site: Site, scene: Scene, party: str
    ) -> None:
        await hold_first_visit(site.clinic, scene.insured)
        found = {}
        also = also_of(party, scene)
        for size, scheme in ((WIDE, "light"), (PHONE, "dark")):
            visitor = await site.visitor(PEOPLE[party], size=size, scheme=scheme)
            for path in await all_pages(visitor, party, *also):
                page = await visitor.open(path)
                assert await page.locator("h1").count() == 1, path
                if violations := await visitor.violations():
                    found[f"{path} {scheme}"] = violations
            assert visitor.said == []
        assert found == {}

    async def test_fits_320_pixels_is_in_french_and_runs_nothing_that_a_sender_wrote(
        self, site: Site, scene: Scene, party: str
    ) -> None:
        await hold_first_visit(site.clinic, scene.insured)
        visitor = await site.visitor(PEOPLE[party], size=NARROW, locale="fr-CA")
        wrong = []
        for path in await all_pages(visitor, party, *also_of(party, scene)):
            page = await visitor.open(path)
            if path.endswith(scene.hostile):
                assert SCRIPT in await page.inner_text("main")
            wrong += [f"{path} is wide"] if await visitor.overflows() else []
            wrong += [f"{path} is stolen"] if await page.title() == "stolen" else []
            wrong += [f"{path} has a picture"] if await page.locator("main img").count() else []
            wrong += [f"{path} is English"] if await page.get_attribute("html", "lang") != "fr" else []
            await visitor.space_widely()
            wrong += [f"{path} is wide when spaced"] if await visitor.overflows() else []
        assert wrong == []
        assert visitor.said == []


class TestTheCheckItself:
    async def test_finds_a_field_without_a_name(self, site: Site) -> None:
        visitor = await site.visitor()
        await visitor.page.evaluate("document.querySelector('main').append(document.createElement('input'))")
        assert any(one.startswith("label") for one in await visitor.violations())

    async def test_finds_a_page_that_is_too_wide(self, site: Site) -> None:
        visitor = await site.visitor(size=NARROW)
        await visitor.page.evaluate("document.querySelector('h1').style.width = '900px'")
        assert await visitor.overflows()
