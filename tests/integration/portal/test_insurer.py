"""An insurer's pages: what is to be decided, item by item, and where a request for a member stands."""

from pathlib import Path

import pytest

from tests.support.browser import Browser, Seen
from tests.support.clinic import TestClinic

EXAMPLE = Path(__file__).parents[3] / "examples" / "referral.json"


@pytest.fixture
async def asked(clinic: TestClinic) -> str:
    """Let the clinic ask the workplace insurer, and give the page of the request."""
    answer = await clinic.as_("family-practice").post("/referral/fhir", content=EXAMPLE.read_bytes())
    assert answer.status_code == 200, answer.text
    await clinic.settle()
    found = await clinic.as_("workplace-insurer").get("/referral/fhir/Claim")
    return f"/claims/{found.json()['entry'][0]['resource']['id']}"


async def opened(browser: Browser, path: str, *, insurer: str = "workplace-insurer") -> Seen:
    await browser.open(f"/sign-in?person={insurer}")
    return await browser.open(path)


async def answers(clinic: TestClinic) -> int:
    found = await clinic.as_("workplace-insurer").get("/referral/fhir/ClaimResponse")
    return int(found.json()["total"])


class TestAnInsurer:
    async def test_sees_what_waits_for_a_decision(self, browser: Browser, asked: str) -> None:
        seen = await opened(browser, "/claims")
        assert asked in seen.links.values()
        assert "12 \N{MULTIPLICATION SIGN} Physiotherapy session" in seen.text

    async def test_approves_and_sees_what_is_granted(
        self, clinic: TestClinic, browser: Browser, asked: str
    ) -> None:
        seen = await opened(browser, asked)
        done = await browser.send(seen, seen.form("decision"), **{"action_1": "A1"})
        assert "Decide the request: done." in done.text
        assert "Granted 12" in done.text
        assert await answers(clinic) == 1

    async def test_is_told_beside_the_field_what_is_missing_and_nothing_is_written(
        self, clinic: TestClinic, browser: Browser, asked: str
    ) -> None:
        seen = await opened(browser, asked)
        refused = await browser.send(seen, seen.form("decision"), **{"action_1": "A3"})
        assert refused.status == 422
        assert 'aria-describedby="reason-wrong"' in refused.html
        refused = await browser.send(refused, refused.form("decision"), **{"action_1": "A2", "units_1": "12"})
        assert "fewer than were asked for" in refused.text
        assert await answers(clinic) == 0

    async def test_sends_a_decision_twice_and_it_counts_once(
        self, clinic: TestClinic, browser: Browser, asked: str
    ) -> None:
        seen = await opened(browser, asked)
        for _ in range(2):
            await browser.send(seen, seen.form("decision"), **{"action_1": "A1"})
        assert await answers(clinic) == 1

    async def test_finds_a_request_by_the_number_of_its_member_which_is_in_no_address(
        self, browser: Browser, asked: str
    ) -> None:
        seen = await opened(browser, "/claim-search")
        found = await browser.send(seen, seen.form("search"), member="M-000120")
        assert asked in found.links.values()
        assert "M-000120" not in str(found.answer.url)

    async def test_sees_nothing_of_another_insurer(self, browser: Browser, asked: str) -> None:
        seen = await opened(browser, asked, insurer="motor-insurer")
        assert (seen.status, "M-000120" in seen.text) == (404, False)
