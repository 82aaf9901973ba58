"""How many calls the pages about one thing make: a few side by side, never one for each thing on them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.integration.careteam.test_worklist import with_actions
from tests.integration.referral.doors import located, operate
from tests.support import referrals
from tests.support.browser import Browser
from tests.support.clinic import TestClinic

SERVICES = ("referral", "scheduling", "careteam", "notifications")
# The code systems of reasons are read once in five minutes for all pages.
_READ_ONCE = "/CodeSystem"


@contextmanager
def noted() -> Iterator[list[str]]:
    """Note the paths of the portal's calls to the services."""
    calls = list[str]()
    with pytest.MonkeyPatch.context() as patches:
        real = httpx.AsyncClient.request

        async def note(self: httpx.AsyncClient, method: str, url: Any, **parts: Any) -> httpx.Response:
            if str(url).split("/")[1] in SERVICES and _READ_ONCE not in str(url):
                calls.append(str(url))
            return await real(self, method, url, **parts)

        patches.setattr(httpx.AsyncClient, "request", note)
        yield calls


async def test_a_referral_is_read_with_all_around_it_by_six_calls(
    clinic: TestClinic, browser: Browser
) -> None:
    sent = await clinic.as_("family-practice").post("/referral/fhir", json=referrals.bundle())
    await clinic.settle()
    referral = located(sent)
    await operate(clinic, "coordinator", referral, "send-communication", text="Which knee hurts?")
    await browser.sign_in("coordinator")
    with noted() as calls:
        seen = await browser.open(f"/referrals/{referral}")
    assert len(calls) <= 6, calls
    for part in ("Abernathy, Noor", "Which knee hurts?", "Decided: what was read", "Booked"):
        assert part in seen.text, part


async def test_a_patient_is_read_by_a_handful_of_calls(clinic: TestClinic, browser: Browser) -> None:
    await clinic.as_("family-practice").post("/referral/fhir", json=referrals.bundle())
    await clinic.settle()
    found = await clinic.as_("coordinator").get("/referral/fhir/Patient")
    patient = found.json()["entry"][0]["resource"]["id"]
    await browser.sign_in("coordinator")
    with noted() as calls:
        seen = await browser.open(f"/patients/{patient}")
    assert len(calls) <= 6, calls
    assert seen.link_to("/referrals/")


async def test_the_actions_of_a_person_come_with_their_acts_by_a_call_for_all() -> None:
    async with TestClinic(services=("careteam",), pages=True) as clinic:
        await with_actions(clinic)
        browser = Browser(clinic.anonymous())
        await browser.sign_in("psychologist")
        with noted() as calls:
            seen = await browser.open("/actions")
    assert len(calls) <= 3, calls
    assert "First" in seen.text
    assert seen.link_to("/complete").startswith("/do/careteam/Task/")
