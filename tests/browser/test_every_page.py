"""What holds for every page of every party: accessible in two widths and schemes, quiet, narrow, French."""

import pytest

from tests.browser.scene import Scene
from tests.browser.site import NARROW, PEOPLE, PHONE, WIDE, Site, all_pages

# A page as wide as WCAG 1.4.12 wants its texts to be spaced.
_SPACING = """
* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }
p { margin-bottom: 2em !important }
"""
_ADOPT = "css => { const s = new CSSStyleSheet(); s.replaceSync(css); document.adoptedStyleSheets = [s] }"


@pytest.mark.parametrize("party", PEOPLE)
class TestEveryPageOf:
    @pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (PHONE, "dark")])
    async def test_has_nothing_that_axe_finds(
        self, site: Site, scene: Scene, party: str, size: tuple[int, int], scheme: str
    ) -> None:
        visitor = await site.visitor(PEOPLE[party], size=size, scheme=scheme)
        found = {}
        for path in await all_pages(visitor, party):
            page = await visitor.open(path)
            assert await page.locator("h1").count() == 1, path
            if violations := await visitor.violations():
                found[path] = violations
        assert found == {}
        assert visitor.said == []

    async def test_fits_320_pixels_also_with_texts_spaced_widely(
        self, site: Site, scene: Scene, party: str
    ) -> None:
        visitor = await site.visitor(PEOPLE[party], size=NARROW)
        wide = []
        for path in await all_pages(visitor, party):
            page = await visitor.open(path)
            if await visitor.overflows():
                wide.append(path)
            await page.evaluate(_ADOPT, _SPACING)
            if await visitor.overflows():
                wide.append(f"{path} spaced")
        assert wide == []

    async def test_is_not_run_over_by_what_a_sender_wrote(self, site: Site, scene: Scene, party: str) -> None:
        visitor = await site.visitor(PEOPLE[party])
        for path in await all_pages(visitor, party):
            page = await visitor.open(path)
            assert await page.title() != "stolen", path
            assert await page.locator("main img").count() == 0, path
        assert visitor.said == []

    async def test_is_in_french(self, site: Site, scene: Scene, party: str) -> None:
        visitor = await site.visitor(PEOPLE[party], locale="fr-CA")
        for path in await all_pages(visitor, party):
            page = await visitor.open(path)
            assert await page.get_attribute("html", "lang") == "fr", path
            assert await page.locator("text=Sign out").count() == 0, path


class TestTheCheckItself:
    async def test_finds_a_field_without_a_name(self, site: Site) -> None:
        visitor = await site.visitor()
        await visitor.page.evaluate("document.querySelector('main').append(document.createElement('input'))")
        assert any(one.startswith("label") for one in await visitor.violations())

    async def test_finds_a_page_that_is_too_wide(self, site: Site) -> None:
        visitor = await site.visitor(size=NARROW)
        await visitor.page.evaluate("document.querySelector('h1').style.width = '900px'")
        assert await visitor.overflows()
