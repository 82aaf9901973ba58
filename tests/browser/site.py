"""The clinic's pages as people see them: browsers that are signed in, and what must hold for every page."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page

from services.portal.api.menus import MENUS
from tests.support.clinic import TestClinic
from tests.support.context import example_clinic

WIDE, PHONE, NARROW = (1440, 900), (390, 844), (320, 800)
_RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
# A page as wide as WCAG 1.4.12 wants its texts to be spaced.
_SPACING = """
* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }
p { margin-bottom: 2em !important }
"""
_ADOPT = "css => { const s = new CSSStyleSheet(); s.replaceSync(css); document.adoptedStyleSheets = [s] }"
# A demo person of each party.
PEOPLE = {
    "referrer": "family-practice",
    "coordinator": "coordinator",
    "clinician": "physiatrist",
    "insurer": "workplace-insurer",
    "operator": "operator",
    "privacy-officer": "privacy-officer",
}


@dataclass
class Visitor:
    """One person in one browser; `said` is what the console complained of."""

    page: Page
    context: BrowserContext
    base: str
    said: list[str] = field(default_factory=list)

    async def open(self, path: str) -> Page:
        """Open a page of the portal."""
        await self.page.goto(f"{self.base}{path}", wait_until="load")
        return self.page

    async def tab(self, path: str) -> Page:
        """Open a page in another tab of this browser."""
        page = await self.context.new_page()
        await page.goto(f"{self.base}{path}", wait_until="load")
        return page

    async def violations(self) -> list[str]:
        """Ask axe what is wrong with the page that is open."""
        found = await Axe().run(self.page, options=_RULES)
        return [_told(one) for one in found.response["violations"]]

    async def overflows(self) -> bool:
        """Tell whether the page is wider than its window."""
        wide: bool = await self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        return wide

    async def space_widely(self) -> None:
        """Space the texts of the page that is open as widely as a reader may (WCAG 1.4.12)."""
        await self.page.evaluate(_ADOPT, _SPACING)

    async def links(self, part: str) -> list[str]:
        """List the addresses of links that have this in them."""
        found: list[str] = await self.page.eval_on_selector_all(
            f'main a[href*="{part}"]', "all => all.map(one => one.getAttribute('href'))"
        )
        return list(dict.fromkeys(found))


async def visit(
    chromium: Browser,
    base: str,
    person: str | None = None,
    *,
    size: tuple[int, int] = WIDE,
    scheme: str = "light",
    locale: str = "en-CA",
    script: bool = True,
) -> Visitor:
    """Open a browser at a clinic, and sign a demo person in by the landing page."""
    context = await chromium.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,  # type: ignore[arg-type]
        locale=locale,
        java_script_enabled=script,
    )
    visitor = Visitor(page=await context.new_page(), context=context, base=base)
    visitor.page.on("console", lambda message: _complain(visitor, message))
    visitor.page.on("pageerror", lambda error: visitor.said.append(str(error)))
    visitor.page.set_default_timeout(10_000)
    await visitor.open("/")
    if person is not None:
        await visitor.page.click(f'a[href="/sign-in?person={person}"]')
        # Keys act once the first page's script runs, which the page that is left has a heading without.
        await visitor.page.wait_for_selector("details.me")
        await visitor.page.wait_for_load_state("load")
    return visitor


@dataclass(frozen=True, kw_only=True)
class Site:
    """A clinic that answers, and Chromium."""

    clinic: TestClinic
    chromium: Browser

    async def visitor(self, person: str | None = None, **how: Any) -> Visitor:
        """Open a browser at this clinic, as `visit` does."""
        return await visit(self.chromium, self.clinic.base_url, person, **how)


# Kinds of pages behind the menu that the scene must lead each party to, so that none is passed over unseen.
REACHED = {
    "referrer": {"/referrals", "/referrals/answers", "/do/referral/ServiceRequest/revoke"},
    "coordinator": {
        "/referrals",
        "/patients",
        "/visits",
        "/do/scheduling/Appointment/correct-status",
        "/do/referral/ServiceRequest/close",
        "/roster/absence",
        "/book",
        "/calendar/links",
    }
    | {
        "/roster/absences",
        "/roster/change/hours",
        "/roster/change/schedules",
        "/roster/change/people",
        "/roster/change/rooms",
    }
    | {"/roster/new/people", "/roster/new/rooms", "/roster/change/programmes"},
    "clinician": {"/calendar", "/calendar/links", "/patients", "/book", "/meetings", "/plans"}
    | {"/teams/write", "/teams/record-answers"},
    "insurer": {"/claims"},
    "operator": set[str](),
    "privacy-officer": set[str](),
}


async def all_pages(visitor: Visitor, party: str, *also: str) -> list[str]:
    """Give the pages of a party as `found_pages` does, and see that none of REACHED is missing."""
    found = await found_pages(visitor, party, *also)
    kinds = {kind_of(path) for path in found}
    assert REACHED[party] <= kinds, REACHED[party] - kinds
    return found


async def found_pages(visitor: Visitor, party: str, *also: str) -> list[str]:
    """Give the pages of a party: its menu, these, and the first of each kind that they lead to in turn."""
    menu = [entry.path for entry in MENUS[party]]
    kinds: dict[str, str] = {}
    waiting = [*menu, *also]
    while waiting:
        await visitor.open(waiting.pop(0))
        for link in await visitor.links("/"):
            address = link.split("?")[0]
            kind = kind_of(address)
            if link.startswith("/") and kind not in kinds and address not in menu:
                kinds[kind] = link
                waiting.append(link)
    return [*menu, *also, *kinds.values()]


def kind_of(path: str) -> str:
    """Give the address of a page without the ids in it, which is the same for all pages of a kind."""
    return "/".join(part for part in path.split("?")[0].split("/") if not _is_id(part))


def _is_id(part: str) -> bool:
    return (len(part) == 36 and part.count("-") == 4) or part in _of_the_clinic()


@cache
def _of_the_clinic() -> frozenset[str]:
    """The ids of people, rooms and programmes, which stand in addresses as they are."""
    clinic = example_clinic()
    rooms = [room.id for site in clinic.sites for room in site.rooms]
    people = [person.id for person in clinic.people]
    return frozenset([*people, *rooms, *(one.id for one in clinic.programmes)])


def _told(violation: dict[str, Any]) -> str:
    nodes = "; ".join(str(node["target"]) for node in violation["nodes"][:3])
    return f"{violation['id']}: {nodes}"


def _complain(visitor: Visitor, message: ConsoleMessage) -> None:
    if message.type in ("error", "warning"):
        visitor.said.append(message.text)
