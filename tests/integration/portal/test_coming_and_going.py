"""Signing in and out by a browser, and what an attacker tries there."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.support.browser import FROM_HERE, Browser, Seen
from tests.support.clinic import BASE_URL, TestClinic

PRIVATE = ("/referrals", "/new-referral", "/reports", "/do/referral/ServiceRequest/1/decline")


class TestALandingPage:
    async def test_leads_a_newcomer_into_the_day_of_a_demo_person_by_one_link(self, browser: Browser) -> None:
        landing = await browser.open("/")
        seen = await browser.open(landing.link_to("person=family-practice"))
        assert (seen.status, seen.path) == (200, "/referrals")
        assert "Elm Street Family Practice" in seen.text

    async def test_leads_who_is_signed_in_to_their_own_first_page(self, browser: Browser) -> None:
        await browser.sign_in("family-practice")
        assert (await browser.open("/")).path == "/referrals"

    async def test_is_there_in_french_for_a_french_browser(self, browser: Browser) -> None:
        seen = await browser.open("/", **{"Accept-Language": "fr-CA,fr;q=0.9"})
        assert 'lang="fr"' in seen.html


class TestSigningIn:
    @pytest.mark.parametrize("path", PRIVATE)
    async def test_is_asked_for_before_any_page(self, clinic: TestClinic, path: str) -> None:
        answer = await clinic.anonymous().get(path, headers=FROM_HERE)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=")

    @pytest.mark.parametrize(
        "next", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "/\tx"]
    )
    async def test_goes_on_to_no_other_site(self, browser: Browser, next: str) -> None:
        seen = Seen(
            await browser.http.get(
                "/sign-in", params={"person": "family-practice", "next": next}, headers=FROM_HERE
            )
        )
        assert str(seen.answer.url) == f"{BASE_URL}/referrals"

    async def test_goes_on_to_the_page_that_was_wanted(self, browser: Browser) -> None:
        seen = await browser.open("/sign-in?person=family-practice&next=/reports")
        assert seen.path == "/reports"

    async def test_can_be_begun_in_two_tabs_and_finished_in_either_order(self, browser: Browser) -> None:
        begun = [await _begun(browser, next) for next in ("/reports", "/new-referral")]
        finished = [await browser.open(callback) for callback in reversed(begun)]
        assert [seen.path for seen in finished] == ["/new-referral", "/reports"]

    async def test_is_refused_in_a_browser_that_did_not_begin_it(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        callback = await _begun(browser, "/reports")
        other = Browser(clinic.anonymous())
        seen = await other.open(callback)
        assert seen.status == 403
        assert (await other.open("/referrals")).path.startswith("/auth/")

    async def test_is_refused_with_a_code_that_was_used(self, browser: Browser) -> None:
        callback = await _begun(browser, "/reports")
        assert (await browser.open(callback)).status == 200
        assert (await browser.open(callback)).status == 403

    async def test_makes_a_new_session_whatever_was_planted_before(self, browser: Browser) -> None:
        browser.http.cookies.set("lumbar-session", "planted", domain="clinic.test")
        await browser.sign_in("family-practice")
        assert browser.http.cookies.get("lumbar-session", domain="clinic.test") != "planted"

    async def test_keeps_tokens_out_of_addresses_and_pages(self, browser: Browser) -> None:
        seen = await browser.sign_in("family-practice")
        everything = seen.html + "".join(str(one.url) for one in seen.answer.history)
        assert "eyJ" not in everything


class TestSigningOut:
    async def test_ends_the_session_for_a_cookie_that_was_stolen_before(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        seen = await browser.sign_in("family-practice")
        thief = Browser(clinic.anonymous())
        thief.http.cookies = httpx.Cookies(browser.http.cookies)
        assert (await thief.open("/referrals")).path == "/referrals"
        await browser.send(seen, seen.form("/sign-out"))
        assert (await thief.open("/referrals")).path.startswith("/auth/")

    async def test_leaves_no_page_in_any_cache(self, browser: Browser) -> None:
        seen = await browser.sign_in("family-practice")
        assert seen.answer.headers["cache-control"] == "no-store"
        out = await browser.send(seen, seen.form("/sign-out"))
        assert out.answer.history[0].headers["clear-site-data"] == '"cache", "storage"'

    async def test_is_not_done_for_a_page_of_another_site(self, browser: Browser) -> None:
        seen = await browser.sign_in("family-practice")
        answered = await browser.send(seen, seen.form("/sign-out"), headers={"Sec-Fetch-Site": "cross-site"})
        assert answered.status == 403
        assert (await browser.open("/referrals")).path == "/referrals"


class TestEveryPage:
    async def test_is_framed_by_nobody_and_runs_no_foreign_script(self, browser: Browser) -> None:
        seen = await browser.sign_in("family-practice")
        headers = seen.answer.headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-robots-tag"] == "noindex"
        assert "unsafe" not in headers["content-security-policy"]

    async def test_of_another_party_is_refused_by_name(self, browser: Browser) -> None:
        await browser.open("/sign-in?person=workplace-insurer")
        assert (await browser.open("/referrals")).status == 403

    async def test_that_is_not_there_says_so_to_a_person_and_to_a_system(self, clinic: TestClinic) -> None:
        http = clinic.anonymous()
        page = await http.get("/nowhere", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
        system = await http.get("/nowhere", headers={"Accept": "application/fhir+json"})
        assert (system.status_code, system.json()["resourceType"]) == (404, "OperationOutcome")


async def _begun(browser: Browser, next: str) -> str:
    """Begin a sign-in, let the issuer send the person back, and give the address of the callback."""
    answer = await browser.http.get(
        f"/sign-in?person=family-practice&next={next}", headers=FROM_HERE, follow_redirects=False
    )
    sent_back = await browser.http.get(answer.headers["location"], headers=FROM_HERE, follow_redirects=False)
    callback = urlsplit(sent_back.headers["location"])
    assert "code" in parse_qs(callback.query)
    return f"{callback.path}?{callback.query}"
