"""A clinic that answers on a port, and Chromium in front of it.

Chromium is the one that `LUMBAR_CHROMIUM` names, or Debian's. Where there is none these tests are skipped
with one line; `LUMBAR_REQUIRE_BROWSER=1` makes that a failure.
"""

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import uvicorn
from playwright.async_api import Browser, async_playwright

from deploy.app import end_all_streams
from tests.browser.scene import Scene, play
from tests.browser.site import Site
from tests.support.clinic import TestClinic


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Find Chromium."""
    found = os.environ.get("LUMBAR_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        missing = "there is no Chromium: install Debian's `chromium`, or name one by LUMBAR_CHROMIUM"
        if os.environ.get("LUMBAR_REQUIRE_BROWSER") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@pytest.fixture
async def chromium(chromium_path: str) -> AsyncIterator[Browser]:
    """Open Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium_path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        await browser.close()


@contextlib.asynccontextmanager
async def serving(**how: Any) -> AsyncIterator[TestClinic]:
    """Serve a clinic with its portal on a free port."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with TestClinic(pages=True, base_url=base_url, **how) as clinic:
        server = _Server(
            uvicorn.Config(clinic.app, lifespan="off", log_config=None, access_log=False, ws="none")
        )
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield clinic
        end_all_streams(clinic.app)
        server.should_exit = True
        await task


@pytest.fixture
async def served() -> AsyncIterator[TestClinic]:
    """Serve a clinic."""
    async with serving() as clinic:
        yield clinic


@pytest.fixture
async def scene(served: TestClinic) -> Scene:
    """Play some days of care, a hostile patient among them."""
    return await play(served)


@pytest.fixture
def site(served: TestClinic, chromium: Browser) -> Site:
    """Give the clinic's pages to browsers of people."""
    return Site(clinic=served, chromium=chromium)


class _Server(uvicorn.Server):
    """A server that leaves signals to the test run."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
