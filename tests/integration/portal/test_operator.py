"""The pages of those who run the clinic and of those who look who looked: no patient's words on either."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import Browser
from tests.support.clinic import TestClinic
from tests.support.held import GROUP, KEY, hold

EXAMPLE = Path(__file__).parents[3] / "examples" / "referral.json"


@pytest.fixture
async def referral(clinic: TestClinic) -> Mapping[str, Any]:
    """Send the example's referral, and give it."""
    answer = await clinic.as_("family-practice").post("/referral/fhir", content=EXAMPLE.read_bytes())
    assert answer.status_code == 200, answer.text
    await clinic.settle()
    found = await clinic.as_("family-practice").get("/referral/fhir/ServiceRequest")
    sent: Mapping[str, Any] = found.json()["entry"][0]["resource"]
    return sent


async def state(clinic: TestClinic) -> str:
    rows = await clinic.databases["scheduling"].fetch("SELECT state FROM held_key WHERE key = $1", KEY)
    return rows[0]["state"] if rows else "gone"


class TestAnOperator:
    async def test_sees_what_is_held_and_lets_it_be_tried_again_once(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        await browser.sign_in("operator")
        assert "No event is held." in (await browser.open("/held")).text
        await hold(clinic.databases[GROUP])
        seen = await browser.open("/held")
        assert f"scheduling {KEY}" in seen.text
        assert "referral.accepted e1" in seen.text
        assert "Tanabe" not in seen.html
        replaying = next(form for form in seen.forms if ("key", KEY) in form.fields)
        done = await browser.send(seen, replaying)
        assert done.status == 200
        assert await state(clinic) == "retrying"

    async def test_sees_in_health_that_a_service_has_given_up(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        await browser.sign_in("operator")
        await hold(clinic.databases[GROUP])
        seen = await browser.open("/health")
        assert seen.status == 200
        assert all(name in seen.text for name in ("referral", "scheduling", "careteam", "notifications"))
        assert "■ stands" in seen.text
        assert "1 given up, 0 tried again" in seen.text

    async def test_follows_a_referral_through_all_services_in_the_order_of_time(
        self, browser: Browser, referral: Mapping[str, Any]
    ) -> None:
        await browser.sign_in("operator")
        seen = await browser.open("/trace")
        found = await browser.send(seen, seen.form("trace"), referral=f"ServiceRequest/{referral['id']}")
        names = ("referral.received", "appointment.booked", "careteam.formed")
        places = [found.text.index(name) for name in names]
        assert places == sorted(places)
        assert "Okonkwo" not in found.html

    async def test_is_told_what_an_id_looks_like(self, browser: Browser) -> None:
        await browser.sign_in("operator")
        seen = await browser.open("/trace")
        refused = await browser.send(seen, seen.form("trace"), referral="Yuki Tanabe")
        assert refused.status == 422
        assert 'aria-describedby="referral-wrong"' in refused.html

    async def test_does_not_replay_what_no_service_has(self, browser: Browser) -> None:
        await browser.sign_in("operator")
        seen = await browser.open("/trace")
        csrf = next(value for name, value in seen.form("trace").fields if name == "csrf")
        for service in ("elsewhere", "../referral", ""):
            fields = [("csrf", csrf), ("once", "x"), ("service", service), ("key", KEY), ("group", GROUP)]
            assert (await browser.post("/held", fields)).status == 404, service


class TestAPrivacyOfficer:
    async def test_finds_who_saw_a_patient_and_who_was_refused(
        self, clinic: TestClinic, browser: Browser, referral: Mapping[str, Any]
    ) -> None:
        patient = referral["subject"]["reference"]
        answer = await clinic.as_("second-practice").get(f"/referral/fhir/{patient}")
        assert answer.status_code == 404
        await browser.sign_in("privacy-officer")
        seen = await browser.open(f"/audit?patient={patient.partition('/')[2]}")
        assert seen.status == 200
        assert f"ServiceRequest/{referral['id']}" in seen.text
        assert "Okonkwo" not in seen.html
        refused = await browser.open("/audit?outcome=4")
        assert "Bayview Family Health Team" in refused.text
        assert "▲ Refused" in refused.text

    async def test_is_told_of_a_search_that_cannot_be_and_sees_what_can(self, browser: Browser) -> None:
        await browser.sign_in("privacy-officer")
        seen = await browser.open("/audit?from=yesterday")
        assert seen.status == 200
        assert "a date is needed" in seen.text
        assert "Nothing was found" not in seen.text

    async def test_alone_sees_it(self, browser: Browser) -> None:
        await browser.sign_in("coordinator")
        assert (await browser.open("/audit")).status == 403
