"""A clinician's pages: the day, a plan that two edit at once, what a team writes and measures."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support import referrals
from tests.support.browser import Browser, Seen
from tests.support.clinic import TestClinic

WHO = "physiotherapist"


@pytest.fixture
async def visit(clinic: TestClinic) -> dict[str, Any]:
    """Let a referral be booked, and go to the day of its first visit."""
    await clinic.as_("family-practice").post("/referral/fhir", json=referrals.bundle(family="Tanabe"))
    await clinic.settle()
    found = await clinic.as_(WHO).get("/scheduling/fhir/Appointment")
    booked: dict[str, Any] = found.json()["entry"][0]["resource"]
    await clinic.at(datetime.fromisoformat(booked["start"]) - timedelta(minutes=5))
    return booked


async def with_plan(clinic: TestClinic, browser: Browser) -> Seen:
    """Record the first visit on the page of the day, and open the plan that it has opened."""
    day = await browser.sign_in(WHO)
    arrive = await browser.open(day.link_to("/arrive"))
    day = await browser.send(arrive, arrive.form("act"))
    await clinic.at(clinic.clock.now() + timedelta(minutes=65))
    day = await browser.open("/day")
    fulfil = await browser.open(day.link_to("/fulfil"))
    await browser.send(fulfil, fulfil.form("act"))
    await clinic.settle()
    plans = await clinic.as_(WHO).get("/careteam/fhir/CarePlan")
    return await browser.open(f"/plans/{plans.json()['entry'][0]['resource']['id']}")


class TestMyDay:
    async def test_shows_the_visits_with_what_may_be_done(
        self, browser: Browser, visit: dict[str, Any]
    ) -> None:
        seen = await browser.sign_in(WHO)
        assert "Tanabe" in seen.text
        assert seen.link_to(f"/do/scheduling/Appointment/{visit['id']}/arrive")

    async def test_does_not_offer_what_already_is(
        self, clinic: TestClinic, browser: Browser, visit: dict[str, Any]
    ) -> None:
        day = await browser.sign_in(WHO)
        arrive = await browser.open(day.link_to("/arrive"))
        done = await browser.send(arrive, arrive.form("act"))
        assert "Arrived: done." in done.text
        assert not [href for href in done.links.values() if "/arrive" in href]

    async def test_asks_whose_doing_a_cancellation_is(
        self, clinic: TestClinic, browser: Browser, visit: dict[str, Any]
    ) -> None:
        day = await browser.sign_in(WHO)
        cancel = await browser.open(day.link_to("/cancel"))
        refused = await browser.send(cancel, cancel.form("act"), cancelationReason="Flu")
        assert "This is needed." in refused.text
        typed = refused.form("act").filled({"cancelationReason.code": "pat"})
        done = await browser.post(str(cancel.answer.url), typed)
        assert "Cancel: done." in done.text
        await clinic.settle()
        read = await clinic.as_(WHO).get(f"/scheduling/fhir/Appointment/{visit['id']}")
        assert read.json()["cancelationReason"]["coding"][0]["code"] == "pat"


class TestAPlan:
    async def test_is_activated_from_its_page(
        self, clinic: TestClinic, browser: Browser, visit: dict[str, Any]
    ) -> None:
        plan = await with_plan(clinic, browser)
        done = await browser.post(
            str(plan.answer.url),
            [*plan.form("plan").filled({"activities": "Graded exercise\nWalks"}), ("act", "activate")],
        )
        assert "Activate: done." in done.text
        read = (await clinic.as_(WHO).get("/careteam/fhir/CarePlan")).json()["entry"][0]["resource"]
        assert read["status"] == "active"
        assert [one["detail"]["description"] for one in read["activity"]] == ["Graded exercise", "Walks"]

    async def test_that_two_edit_keeps_the_first_words_and_shows_them_to_the_second(
        self, clinic: TestClinic, browser: Browser, visit: dict[str, Any]
    ) -> None:
        first = await with_plan(clinic, browser)
        second = await browser.open(first.path)
        mine = first.form("plan").filled({"description": "Pacing first"})
        await browser.post(str(first.answer.url), [*mine, ("act", "draft")])
        theirs = [*second.form("plan").filled({"description": "Load first"}), ("act", "draft")]
        late = await browser.post(str(second.answer.url), theirs)
        assert late.status == 412
        assert "Somebody changed this plan while you wrote" in late.text
        assert "Pacing first" in late.text
        assert ("description", "Load first") in late.form("plan").fields
        saved = await browser.post(str(late.answer.url), [*late.form("plan").filled({}), ("act", "draft")])
        assert saved.status == 200
        read = (await clinic.as_(WHO).get("/careteam/fhir/CarePlan")).json()["entry"][0]["resource"]
        assert read["description"] == "Load first"


class TestATeam:
    @pytest.mark.parametrize(
        ("act", "typed", "where"),
        [
            ("write", {"text": "Sleeps better"}, "Communication"),
            ("record-rating", {"score": "4"}, "Observation"),
            ("bring-case", {"text": "Fear of movement"}, "Task?code=agenda-item"),
        ],
    )
    async def test_does_its_work_from_pages(
        self,
        clinic: TestClinic,
        browser: Browser,
        visit: dict[str, Any],
        act: str,
        typed: dict[str, str],
        where: str,
    ) -> None:
        await with_plan(clinic, browser)
        team = (await clinic.as_(WHO).get("/careteam/fhir/CareTeam")).json()["entry"][0]["resource"]
        form = await browser.open(f"/teams/{team['id']}/{act}")
        empty = await browser.send(form, form.form("team"), **dict.fromkeys(typed, " "))
        assert empty.status == 422
        for _ in range(2):
            done = await browser.send(form, form.form("team"), **typed)
            assert "done." in done.text, done.text
        assert (await clinic.as_(WHO).get(f"/careteam/fhir/{where}")).json()["total"] == 1

    async def test_leaves_an_item_without_an_answer_open_and_counts_no_zero(
        self, clinic: TestClinic, browser: Browser, visit: dict[str, Any]
    ) -> None:
        await with_plan(clinic, browser)
        team = (await clinic.as_(WHO).get("/careteam/fhir/CareTeam")).json()["entry"][0]["resource"]
        form = await browser.open(f"/teams/{team['id']}/record-answers?questionnaire=oswestry")
        answered = {f"section-{number}": "3" for number in range(1, 9)}
        done = await browser.post(str(form.answer.url), form.form("team").filled(answered))
        assert "Record answers: done." in done.text, done.text
        found = (await clinic.as_(WHO).get("/careteam/fhir/Observation")).json()["entry"]
        assert [one["resource"]["valueQuantity"]["value"] for one in found] == [60]
