"""`make screens`: photographs of every page with the demo's patients, wide and narrow, light and dark.

All of them go into a folder; those of CHOSEN also into docs/screens, where the README shows some.
"""

import argparse
import asyncio
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from tests.browser.site import PEOPLE, PHONE, WIDE, Visitor, found_pages, kind_of, visit
from tests.support.process import LUMBAR, LumbarProcess

ROOT = Path(__file__).parents[2]
SIZES = {"wide": WIDE, "phone": PHONE}
# Name of the file, and which page of whom it shows, how.
CHOSEN = {
    "landing": (None, "/", "wide", "light", "en"),
    "today": ("coordinator", "/today", "wide", "light", "en"),
    "today-dark": ("coordinator", "/today", "wide", "dark", "en"),
    "today-phone": ("coordinator", "/today", "phone", "light", "en"),
    "calendar": ("coordinator", "/calendar?week=2026-09-14", "wide", "light", "en"),
    "referrals-french": ("family-practice", "/referrals", "wide", "light", "fr"),
    "referral": ("family-practice", "/referrals/{}", "wide", "light", "en"),
    "new-referral-phone": ("family-practice", "/new-referral", "phone", "light", "en"),
    "patient": ("pain-physician", "/patients/{Vandermeer}", "wide", "light", "en"),
    "patient-phone-dark": ("pain-physician", "/patients/{Vandermeer}", "phone", "dark", "en"),
    "meeting": ("physiatrist", "/meetings/{7 Oct}", "wide", "light", "en"),
    "claim": ("workplace-insurer", "/claims/{}", "wide", "light", "en"),
    "health": ("operator", "/health", "wide", "dark", "en"),
}


def main() -> None:
    """Play the demo, serve it, and photograph."""
    options = argparse.ArgumentParser(prog="make screens")
    options.add_argument("--folder", type=Path, default=ROOT / "screens")
    options.add_argument("--chosen", action="store_true", help="only those of docs/screens")
    given = options.parse_args()
    kept = ROOT / "docs" / "screens"
    for folder in (kept,) if given.chosen else (kept, given.folder):
        folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="lumbar-screens-") as made,
        LumbarProcess(Path(made) / "data") as lumbar,
    ):
        demo = [LUMBAR, "demo", "--data", str(lumbar.data)]
        subprocess.run(demo, check=True, env=lumbar.environment, stdout=subprocess.DEVNULL)
        lumbar.start()
        lumbar.wait_until_ready()
        asyncio.run(_photograph(lumbar.url, kept=kept, every=None if given.chosen else given.folder))


async def _photograph(base: str, *, kept: Path, every: Path | None) -> None:
    async with async_playwright() as playwright:
        found = os.environ.get("LUMBAR_CHROMIUM") or shutil.which("chromium")
        chromium = await playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        await _choose(chromium, base, kept)
        if every is not None:
            for party, person in PEOPLE.items():
                await _every_page(chromium, base, every, party=party, person=person)
        await chromium.close()


async def _choose(chromium: Browser, base: str, folder: Path) -> None:
    for name, (person, path, size, scheme, language) in CHOSEN.items():
        visitor = await visit(
            chromium, base, person, size=SIZES[size], scheme=scheme, locale=f"{language}-CA"
        )
        await _go(visitor, path)
        await visitor.page.screenshot(path=folder / f"{name}.png")
        await visitor.context.close()


async def _every_page(chromium: Browser, base: str, folder: Path, *, party: str, person: str) -> None:
    """Photograph the pages of a party's menu, and the first of each kind that they lead to."""
    for size, window in SIZES.items():
        for scheme, language in (("light", "en"), ("dark", "en"), ("light", "fr")):
            visitor = await visit(chromium, base, person, size=window, scheme=scheme, locale=f"{language}-CA")
            for path in await found_pages(visitor, party):
                await _go(visitor, path)
                shown = kind_of(path).strip("/").replace("/", "-")
                name = f"{party}-{shown}-{size}-{scheme}-{language}.png"
                await visitor.page.screenshot(path=folder / name, full_page=True)
            await visitor.context.close()


async def _go(visitor: Visitor, path: str) -> None:
    """Open a page; `/claims/{}` is the first one that its list leads to, `/meetings/{7 Oct}` that says so."""
    listed, brace, word = path.partition("/{")
    page = await visitor.open(listed)
    if brace:
        links = page.locator(f'main a[href^="{listed}/"]')
        await links.filter(has_text=word.removesuffix("}")).first.click()
        await page.wait_for_load_state("load")
    await page.wait_for_timeout(300)


if __name__ == "__main__":
    main()
