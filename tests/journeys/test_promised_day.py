"""A clinic that plans: who can wait is promised a visit at once, and told the day in the evening."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from shared.clinic import Scheduling, SchedulingPolicy
from tests.support import referrals
from tests.support.browser import Browser
from tests.support.clinic import TestClinic
from tests.support.context import example_clinic

UNTIL_EVENING = timedelta(hours=11)


@pytest.fixture
async def planning() -> AsyncIterator[TestClinic]:
    """Open the example clinic as one that plans, never so quiet that it need not."""
    plans = Scheduling(policy=SchedulingPolicy.PLAN, at_once_below=0)
    described = example_clinic().model_copy(update={"scheduling": plans})
    async with TestClinic(clinic=described, pages=True) as clinic:
        yield clinic


async def sent(clinic: TestClinic, *, priority: str = "routine") -> str:
    """Send a referral, and give the id of its ServiceRequest."""
    bundle = referrals.bundle(family="Tanabe")
    referrals.resource(bundle, "ServiceRequest")["priority"] = priority
    answer = await clinic.as_("family-practice").post("/referral/fhir", json=bundle)
    assert answer.status_code == 200, answer.text
    await clinic.settle()
    found = (await clinic.as_("family-practice").get("/referral/fhir/ServiceRequest")).json()
    return str(found["entry"][0]["resource"]["id"])


async def visit_of(clinic: TestClinic, referral: str) -> dict[str, Any]:
    found = await clinic.as_("family-practice").get(
        f"/scheduling/fhir/Appointment?based-on=ServiceRequest/{referral}"
    )
    visit: dict[str, Any] = found.json()["entry"][0]["resource"]
    return visit


async def process_of(clinic: TestClinic, referral: str) -> dict[str, Any]:
    found = await clinic.as_("family-practice").get(f"/referral/fhir/Task?focus=ServiceRequest/{referral}")
    tasks = [entry["resource"] for entry in found.json()["entry"]]
    return next(task for task in tasks if "businessStatus" in task)


async def test_the_sender_is_told_at_once_by_when_the_patient_is_seen_and_in_the_evening_the_day(
    planning: TestClinic,
) -> None:
    referral = await sent(planning)
    assert (await visit_of(planning, referral))["status"] == "proposed"
    task = await process_of(planning, referral)
    assert task["businessStatus"]["coding"][0]["code"] == "awaiting-booking"
    assert (
        "The patient will be seen by 2026-03-30; the day of the visit follows."
        in task["statusReason"]["text"]
    )
    browser = Browser(planning.anonymous())
    await browser.sign_in("family-practice")
    page = await browser.open(f"/referrals/{referral}")
    assert "Day follows" in page.text
    assert "The patient will be seen by" in page.text

    await planning.at(planning.clock.now() + UNTIL_EVENING)
    visit = await visit_of(planning, referral)
    assert visit["status"] == "booked"
    assert (await process_of(planning, referral))["businessStatus"]["coding"][0]["code"] == "booked"
    teams = (await planning.as_("physiotherapist").get("/careteam/fhir/CareTeam")).json()
    assert teams["total"] == 1


async def test_the_board_lists_who_is_promised_a_day(planning: TestClinic) -> None:
    await sent(planning)
    rows = (await planning.as_("coordinator").get("/scheduling/guarantee?status=planned")).json()["rows"]
    assert [row["status"] for row in rows] == ["planned"]


async def test_who_cannot_wait_has_the_day_at_once(planning: TestClinic) -> None:
    referral = await sent(planning, priority="asap")
    assert (await visit_of(planning, referral))["status"] == "booked"
