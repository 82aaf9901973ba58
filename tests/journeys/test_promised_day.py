"""A clinic that plans: who can wait is promised a visit at once, and told the day in the evening."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from deploy.demo.bundles import example
from shared.clinic import Scheduling, SchedulingPolicy
from tests.support import referrals
from tests.support.browser import Browser
from tests.support.clinic import TestClinic
from tests.support.context import example_clinic

UNTIL_EVENING = timedelta(hours=11)
CANCELLED = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"


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


class TestTheCoordinatorIsAskedToTelephone:
    async def test_once_an_evening_found_the_day_and_ticks_it_when_the_patient_was_told(
        self, planning: TestClinic
    ) -> None:
        await sent(planning)
        assert await to_tell(planning) == []
        await planning.at(planning.clock.now() + UNTIL_EVENING)
        [row] = await to_tell(planning)
        assert "tell the patient by telephone" in row["reason"]["text"]
        assert row["patient"]["name"].startswith("Tanabe")
        assert [act["name"] for act in row["actions"]] == ["tell"]
        answer = await tick(planning, row["resource"])
        assert answer.status_code == 200, answer.text
        assert answer.json()["statusReason"]["coding"][0]["code"] == "patient-told"
        assert await to_tell(planning) == []
        again = await tick(planning, row["resource"])
        assert again.status_code == 200
        assert again.json()["meta"]["versionId"] == answer.json()["meta"]["versionId"]

    async def test_with_the_day_that_the_visit_has_now_and_no_more_when_it_is_called_off(
        self, planning: TestClinic
    ) -> None:
        referral = await sent(planning)
        await planning.at(planning.clock.now() + UNTIL_EVENING)
        [asked] = await to_tell(planning)
        visit = await visit_of(planning, referral)
        later = (datetime.fromisoformat(visit["start"]) + timedelta(days=1)).isoformat()
        until = (datetime.fromisoformat(visit["end"]) + timedelta(days=1)).isoformat()
        moved = await put(planning, visit | {"start": later, "end": until})
        assert moved.status_code == 200, moved.text
        [row] = await to_tell(planning)
        assert row["reason"]["text"] != asked["reason"]["text"]
        reason = {"coding": [{"system": CANCELLED, "code": "pat"}]}
        called_off = await put(planning, moved.json() | {"status": "cancelled", "cancelationReason": reason})
        assert called_off.status_code == 200, called_off.text
        assert await to_tell(planning) == []
        ended = await planning.as_("coordinator").get(f"/scheduling/fhir/{row['resource']}")
        assert ended.json()["status"] == "cancelled"
        refused = await tick(planning, row["resource"])
        assert refused.status_code == 409
        assert "This Task is cancelled and stays so." in refused.text

    async def test_and_nobody_else_can_say_that_it_was_done(self, planning: TestClinic) -> None:
        await sent(planning)
        await planning.at(planning.clock.now() + UNTIL_EVENING)
        [row] = await to_tell(planning)
        task = (await planning.as_("coordinator").get(f"/scheduling/fhir/{row['resource']}")).json()
        # What a patient says to the clinic may stand in it, so that no sender reads it.
        seen = await planning.as_("family-practice").get(f"/scheduling/fhir/{row['resource']}")
        assert seen.status_code == 404
        for who in ("physiotherapist", "family-practice", "second-practice"):
            refused = await tick(planning, row["resource"], who=who, task=task)
            assert refused.status_code in (403, 404), who
        assert len(await to_tell(planning)) == 1

    async def test_on_the_page_of_the_day(self, planning: TestClinic) -> None:
        await sent(planning)
        await planning.at(planning.clock.now() + UNTIL_EVENING)
        browser = Browser(planning.anonymous())
        await browser.sign_in("coordinator")
        page = await browser.open("/today")
        assert "Tell the patient the day" in page.text
        assert "The patient was told" in page.text


class TestABreachThatTheEveningForesees:
    """The chronic pain programme has one first visit a week: five referrals are more than four weeks have."""

    async def test_is_the_coordinators_to_see_to_and_its_senders_to_read(self, planning: TestClinic) -> None:
        late = await a_full_month(planning)
        row = late[0]
        assert row["reason"]["coding"][0]["code"] == "no-day-in-time-by-plan"
        assert [remedy["action"] for remedy in row["remedies"]] == ["book"]
        summary = (await planning.as_("coordinator").get("/scheduling/guarantee/summary")).json()
        assert summary["forecast_breach"] == len(late)
        work = (await planning.as_("coordinator").get("/scheduling/worklist?kind=guarantee")).json()["rows"]
        assert {one["referral"] for one in work} == {one["referral"] for one in late}
        assert {act["name"] for one in work for act in one["actions"]} == {"book"}
        assert sorted(await told_of(planning, "guarantee.forecast-breach")) == sorted(
            ("coordinator", one["referral"]) for one in late
        )
        task = await process_of(planning, row["referral"])
        assert "no day in the promised time is free" in task["statusReason"]["text"]

    async def test_is_over_with_a_day_in_time_and_tells_nobody_twice(self, planning: TestClinic) -> None:
        late = await a_full_month(planning)
        row = late[0]
        visit = await visit_of(planning, row["referral"])
        start = datetime.fromisoformat(row["remedies"][0]["time"])
        end = start + timedelta(minutes=visit["minutesDuration"])
        time = {"start": start.isoformat(), "end": end.isoformat()}
        booked = await put(planning, visit | {"status": "booked", **time})
        assert booked.status_code == 200, booked.text
        await planning.settle()
        task = await process_of(planning, row["referral"])
        assert "no day in the promised time" not in task["statusReason"]["text"]
        await planning.at(planning.clock.now() + timedelta(days=1))
        still = {one["referral"] for one in await foreseen(planning)}
        assert row["referral"] not in still, "though others may have lost the day that it was given"
        about = await told_of(planning, "guarantee.forecast-breach")
        assert len(about) == len(set(about))
        assert {referral for _, referral in about} == still | {one["referral"] for one in late}

    async def test_stands_on_the_board_and_the_page_of_the_day(self, planning: TestClinic) -> None:
        late = await a_full_month(planning)
        browser = Browser(planning.anonymous())
        await browser.sign_in("coordinator")
        board = await browser.open("/four-weeks?status=forecast-breach")
        assert board.text.count("Too late by the plan") == len(late)
        assert "The plan of the evening finds no day before the end of the guarantee." in board.text
        assert "Too late by the plan" in (await browser.open("/four-weeks")).text
        assert f"{len(late)} promises at risk" in (await browser.open("/today")).text


async def a_full_month(clinic: TestClinic) -> list[dict[str, Any]]:
    """Send more chronic pain referrals than a month has visits, and give the board's rows of the evening."""
    for letter in "abcde":
        body = example(f"20-full-month-{letter}.json", at=clinic.clock.now())
        answer = await clinic.as_("family-practice").post("/referral/fhir", content=body)
        assert answer.status_code == 200, answer.text
    await clinic.settle()
    assert await foreseen(clinic) == []
    await clinic.at(clinic.clock.now() + UNTIL_EVENING)
    late = await foreseen(clinic)
    assert late
    return late


async def foreseen(clinic: TestClinic) -> list[dict[str, Any]]:
    answer = await clinic.as_("coordinator").get("/scheduling/guarantee?status=forecast-breach")
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return rows


async def told_of(clinic: TestClinic, event: str) -> list[tuple[str, str]]:
    """Name who was sent a message about each of these events, and about which referral."""
    found = await clinic.as_("coordinator").get("/notifications/fhir/Communication?_count=200")
    sent = [entry["resource"] for entry in found.json()["entry"]]
    return [
        (_id(one["recipient"][0]), _id(one["basedOn"][0]))
        for one in sent
        if one["topic"]["coding"][0]["code"] == event
    ]


def _id(reference: dict[str, Any]) -> str:
    return str(reference["reference"].rpartition("/")[2])


async def to_tell(clinic: TestClinic) -> list[dict[str, Any]]:
    answer = await clinic.as_("coordinator").get("/scheduling/worklist?kind=tell")
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return rows


async def tick(
    clinic: TestClinic, resource: str, *, who: str = "coordinator", task: dict[str, Any] | None = None
) -> httpx.Response:
    found = task or (await clinic.as_("coordinator").get(f"/scheduling/fhir/{resource}")).json()
    headers = {"If-Match": f'W/"{found["meta"]["versionId"]}"'}
    body = found | {"status": "completed"}
    answer: httpx.Response = await clinic.as_(who).put(
        f"/scheduling/fhir/{resource}", json=body, headers=headers
    )
    return answer


async def put(clinic: TestClinic, visit: dict[str, Any]) -> httpx.Response:
    headers = {"If-Match": f'W/"{visit["meta"]["versionId"]}"'}
    answer: httpx.Response = await clinic.as_("coordinator").put(
        f"/scheduling/fhir/Appointment/{visit['id']}", json=visit, headers=headers
    )
    return answer
