"""A service that does not answer: its page says so, and what was typed is kept."""

from typing import Any

import httpx
import pytest

from tests.support.browser import Browser

ID = "01a22c11-a063-75b8-b790-dc44d6910d9c"
SERVICES = ("referral", "scheduling", "careteam", "notifications")
ABOUT_ONE = (
    ("family-practice", f"/referrals/{ID}"),
    ("family-practice", f"/referrals/{ID}/answers"),
    ("family-practice", f"/reports/{ID}"),
    ("family-practice", "/new-referral"),
    ("workplace-insurer", f"/claims/{ID}"),
    ("physiatrist", f"/patients/{ID}"),
    ("physiatrist", f"/meetings/{ID}"),
    ("physiatrist", f"/plans/{ID}"),
    ("physiatrist", f"/teams/{ID}/write"),
    ("physiatrist", f"/do/careteam/Task/{ID}/complete"),
)
LISTS = (
    ("family-practice", "/referrals"),
    ("family-practice", "/reports"),
    ("coordinator", "/today"),
    ("coordinator", "/triage"),
    ("coordinator", "/waitlist"),
    ("coordinator", "/calendar"),
    ("physiatrist", "/patients"),
    ("physiatrist", "/meetings"),
    ("physiatrist", "/actions"),
    ("physiatrist", "/day"),
    ("workplace-insurer", "/claims"),
    ("workplace-insurer", "/all-claims"),
    ("operator", "/held"),
    ("privacy-officer", "/audit"),
)


def take_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every call to a service fail as if nobody listened; pages and the issuer go on."""
    real = httpx.AsyncClient.request

    async def away(self: httpx.AsyncClient, method: str, url: Any, **parts: Any) -> httpx.Response:
        if str(url).split("/")[1] in SERVICES:
            raise httpx.ConnectError("nobody listens")
        return await real(self, method, url, **parts)

    monkeypatch.setattr(httpx.AsyncClient, "request", away)


class TestWhileServicesAreAway:
    @pytest.mark.parametrize(("person", "path"), ABOUT_ONE)
    async def test_a_page_about_one_thing_says_that_it_cannot_be_reached(
        self, browser: Browser, monkeypatch: pytest.MonkeyPatch, person: str, path: str
    ) -> None:
        await browser.sign_in(person)
        take_away(monkeypatch)
        seen = await browser.open(path)
        assert seen.status == 503
        assert "This cannot be reached now" in seen.text

    @pytest.mark.parametrize(("person", "path"), LISTS)
    async def test_a_page_that_lists_stands_and_says_so(
        self, browser: Browser, monkeypatch: pytest.MonkeyPatch, person: str, path: str
    ) -> None:
        await browser.sign_in(person)
        take_away(monkeypatch)
        seen = await browser.open(path)
        assert seen.status == 200
        assert "Cannot be read now." in seen.text

    async def test_what_was_typed_stands_there_again_when_they_are_back(
        self, browser: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await browser.sign_in("family-practice")
        seen = await browser.open("/new-referral")
        with monkeypatch.context() as meanwhile:
            take_away(meanwhile)
            away = await browser.send(seen, seen.form("referral"), "send", family="Hansen")
            assert away.status == 503
        again = await browser.open("/new-referral")
        assert ("family", "Hansen") in [pair for form in again.forms for pair in form.fields]
