"""`make screens`: photographs of every page with the demo's patients, wide and narrow, light and dark.

All of them go into a folder; the dozen of CHOSEN also into docs/screens, where the README shows them.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from services.portal.api.menus import MENUS

ROOT = Path(__file__).parents[2]
SIZES = {"wide": (1440, 900), "phone": (390, 844)}
# Name of the file, and which page of whom it shows, how.
CHOSEN = {
    "landing": ("-", "/", "wide", "light", "en"),
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
PEOPLE = {
    "referrer": "family-practice",
    "coordinator": "coordinator",
    "clinician": "pain-physician",
    "insurer": "workplace-insurer",
    "operator": "operator",
    "privacy-officer": "privacy-officer",
}


def main() -> None:
    """Play the demo, serve it, and photograph."""
    options = argparse.ArgumentParser(prog="make screens")
    options.add_argument("--folder", type=Path, default=ROOT / "screens")
    options.add_argument("--chosen", action="store_true", help="only those of docs/screens")
    given = options.parse_args()
    with _served() as base, sync_playwright() as playwright:
        found = os.environ.get("LUMBAR_CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        _choose(browser, base, ROOT / "docs" / "screens")
        if not given.chosen:
            _every_page(browser, base, given.folder)
        browser.close()


def _choose(browser: Browser, base: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, (person, path, size, scheme, language) in CHOSEN.items():
        page = _open(browser, base, person, size=size, scheme=scheme, language=language)
        _go(page, base, path)
        page.screenshot(path=folder / f"{name}.png")
        page.context.close()


def _every_page(browser: Browser, base: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for party, person in PEOPLE.items():
        for size in SIZES:
            for scheme, language in (("light", "en"), ("dark", "en"), ("light", "fr")):
                page = _open(browser, base, person, size=size, scheme=scheme, language=language)
                for path in [entry.path for entry in MENUS[party]]:
                    _go(page, base, path)
                    name = f"{party}-{path.strip('/').replace('/', '-')}-{size}-{scheme}-{language}.png"
                    page.screenshot(path=folder / name, full_page=True)
                page.context.close()


def _open(browser: Browser, base: str, person: str, *, size: str, scheme: str, language: str) -> Page:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,  # type: ignore[arg-type]
        locale=f"{language}-CA",
    )
    page = context.new_page()
    page.goto(base)
    if person != "-":
        page.click(f'a[href="/sign-in?person={person}"]')
        page.wait_for_selector("main h1")
    return page


def _go(page: Page, base: str, path: str) -> None:
    """Open a page; `/claims/{}` is the first one that its list leads to, `/meetings/{7 Oct}` that says so."""
    listed, brace, word = path.partition("/{")
    page.goto(f"{base}{listed}")
    if brace:
        links = page.locator(f'main a[href^="{listed}/"]')
        links.filter(has_text=word.removesuffix("}")).first.click()
    page.wait_for_load_state("networkidle" if not page.query_selector("[data-live]") else "load")
    page.wait_for_timeout(300)


@contextmanager
def _served() -> Iterator[str]:
    """Serve the demo's clinic on a free port."""
    with tempfile.TemporaryDirectory(prefix="lumbar-screens-") as made, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        listener.close()
        lumbar = [sys.executable, "-m", "deploy.cli"]
        data = str(Path(made) / "data")
        subprocess.run([*lumbar, "demo", "--data", data], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        running = subprocess.Popen([*lumbar, "up", "--data", data, "--port", str(port)], cwd=ROOT)
        try:
            _wait_for(f"http://127.0.0.1:{port}/readyz")
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()
            running.wait(timeout=30)


def _wait_for(address: str) -> None:
    import time

    for _ in range(200):
        try:
            urllib.request.urlopen(address, timeout=2)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(address)


if __name__ == "__main__":
    main()
