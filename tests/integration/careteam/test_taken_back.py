"""A first visit that was recorded as held by mistake: the plan that followed is taken back, or told of."""

import asyncio
from typing import Any

import pytest

from services.careteam.fhir.tasks import CASE_REASON_SYSTEM
from tests.integration.careteam.care import (
    BASE,
    active_plan,
    case_of,
    counts,
    found,
    one,
    put,
    seen,
)
from tests.integration.careteam.events import a_process_request, a_referral, an_appointment
from tests.support.clinic import TestClinic


async def corrected(clinic: TestClinic, status: str, **fields: Any) -> None:
    visit = an_appointment("r1", status=status, **fields)
    await clinic.publish("appointment.corrected", focus=visit)
    await clinic.settle()


async def held(clinic: TestClinic, **fields: Any) -> None:
    visit = an_appointment("r1", status="fulfilled", **fields)
    await clinic.publish("appointment.fulfilled", focus=visit)
    await clinic.settle()


async def goals_are(clinic: TestClinic) -> set[str]:
    return {goal["lifecycleStatus"] for goal in await found(clinic, "Goal")}


async def decisions(clinic: TestClinic) -> list[tuple[str, str]]:
    """Give the target and the activity of every Provenance, the oldest first."""
    return [
        (each["target"][0]["reference"], each["activity"]["coding"][0]["code"])
        for each in await found(clinic, "Provenance?_sort=_lastUpdated")
    ]


class TestADraftThatNobodyHasTouched:
    @pytest.mark.parametrize("status", ["booked", "arrived", "noshow"])
    async def test_is_taken_back_with_its_goals_and_a_provenance_says_why(
        self, clinic: TestClinic, status: str
    ):
        await seen(clinic)
        draft = await one(clinic, "CarePlan")
        await corrected(clinic, status)
        plan = await one(clinic, "CarePlan")
        assert (plan["id"], plan["status"]) == (draft["id"], "revoked")
        assert await goals_are(clinic) == {"cancelled"}
        assert await decisions(clinic) == [(f"CarePlan/{plan['id']}", "visit-not-held")]
        assert (await one(clinic, "CareTeam"))["status"] == "active"
        assert await found(clinic, "Task") == []

    async def test_is_opened_again_as_it_was_when_the_visit_is_held_after_all(self, clinic: TestClinic):
        await seen(clinic)
        draft = await one(clinic, "CarePlan")
        await corrected(clinic, "booked")
        await held(clinic)
        plan = await one(clinic, "CarePlan")
        assert (plan["status"], plan["meta"]["versionId"]) == ("draft", "3")
        assert plan | {"meta": None} == draft | {"meta": None}
        assert await goals_are(clinic) == {"proposed"}
        about = f"CarePlan/{plan['id']}"
        assert await decisions(clinic) == [(about, "visit-not-held"), (about, "visit-held")]
        assert (await active_plan(clinic))["status"] == "active"

    async def test_is_opened_again_by_a_correction_of_the_correction(self, clinic: TestClinic):
        await seen(clinic)
        await corrected(clinic, "noshow")
        await corrected(clinic, "fulfilled")
        assert (await one(clinic, "CarePlan"))["status"] == "draft"

    async def test_is_opened_again_for_who_sees_the_patient_instead(self, clinic: TestClinic):
        await seen(clinic)
        await corrected(clinic, "noshow")
        await held(clinic, practitioner="psychologist")
        plan = await one(clinic, "CarePlan")
        assert (plan["status"], plan["author"]) == (
            "draft",
            {"reference": "Practitioner/psychologist", "display": "Leila Haddad"},
        )

    async def test_is_taken_back_and_opened_as_often_as_it_is_corrected(self, clinic: TestClinic):
        await seen(clinic)
        for _ in range(2):
            await corrected(clinic, "noshow")
            assert (await one(clinic, "CarePlan"))["status"] == "revoked"
            await held(clinic)
            assert (await one(clinic, "CarePlan"))["status"] == "draft"

    async def test_is_no_draft_for_its_team_while_it_is_taken_back(self, clinic: TestClinic):
        await seen(clinic)
        await corrected(clinic, "noshow")
        plan = await one(clinic, "CarePlan")
        before = await counts(clinic)
        answer = await put(clinic, plan | {"status": "draft"}, by="psychologist")
        assert answer.status_code == 422
        assert await counts(clinic) == before


class TestAPlanThatSomebodyHasWorkedOn:
    async def test_stays_and_its_case_goes_on_the_next_agenda(self, clinic: TestClinic):
        await seen(clinic)
        draft = await one(clinic, "CarePlan")
        await put(clinic, draft | {"description": "Begin slowly"}, by="psychologist")
        before = await one(clinic, "CarePlan")
        await corrected(clinic, "noshow")
        assert await one(clinic, "CarePlan") == before
        case = await case_of(clinic)
        assert case["reasonCode"]["text"] == (
            "The first visit was recorded as held by mistake, and the plan was opened after it."
        )

    async def test_stays_where_only_a_goal_was_written_on(self, clinic: TestClinic):
        await seen(clinic)
        goal = (await found(clinic, "Goal"))[0]
        words = {"description": {"text": "Carry the shopping home"}}
        assert (await put(clinic, goal | words, by="psychologist")).status_code == 200
        await corrected(clinic, "noshow")
        assert (await one(clinic, "CarePlan"))["status"] == "draft"
        assert await goals_are(clinic) == {"proposed"}
        await case_of(clinic)

    async def test_stays_active_and_waits_there_once_with_all_its_reasons(self, clinic: TestClinic):
        await seen(clinic)
        await active_plan(clinic)
        for _ in range(2):
            await corrected(clinic, "noshow")
        assert (await one(clinic, "CarePlan"))["status"] == "active"
        stated = (await case_of(clinic))["reasonCode"]["coding"]
        codes = [coding["code"] for coding in stated if coding["system"] == CASE_REASON_SYSTEM]
        assert codes == ["first-plan-review", "visit-not-held"]


class TestTwiceAndInAnyOrder:
    async def test_a_correction_heard_twice_takes_back_once(self, clinic: TestClinic):
        await seen(clinic)
        for _ in range(2):
            await corrected(clinic, "noshow")
        assert (await one(clinic, "CarePlan"))["meta"]["versionId"] == "2"
        assert len(await decisions(clinic)) == 1

    async def test_a_correction_before_any_visit_is_heard_changes_nothing_and_the_visit_opens_the_draft(
        self, clinic: TestClinic
    ):
        for _ in range(2):
            await corrected(clinic, "noshow")
        assert await found(clinic, "CarePlan") == []
        for _ in range(2):
            await held(clinic)
        plan = await one(clinic, "CarePlan")
        assert (plan["status"], plan["meta"]["versionId"]) == ("draft", "1")
        assert await decisions(clinic) == []

    async def test_all_that_is_said_of_a_visit_at_once_ends_as_it_was_said_last(self, clinic: TestClinic):
        visits = {status: an_appointment("r1", status=status) for status in ("booked", "fulfilled", "noshow")}
        await clinic.publish("appointment.booked", focus=visits["booked"])
        for _ in range(2):
            await clinic.publish("appointment.fulfilled", focus=visits["fulfilled"])
            await clinic.publish("appointment.corrected", focus=visits["noshow"])
        await clinic.settle()
        assert (await one(clinic, "CarePlan"))["status"] == "revoked"

    async def test_of_a_member_who_writes_and_a_correction_one_comes_first(self, clinic: TestClinic):
        await seen(clinic)
        draft = await one(clinic, "CarePlan")
        written, _ = await asyncio.gather(
            put(clinic, draft | {"description": "Begin slowly"}, by="psychologist"),
            corrected(clinic, "noshow"),
        )
        plan = await one(clinic, "CarePlan")
        listed = await found(clinic, "Task?code=agenda-item")
        if written.status_code == 200:
            assert (plan["status"], len(listed)) == ("draft", 1)
        else:
            assert (written.status_code, plan["status"], listed) == (412, "revoked", [])

    async def test_the_end_of_the_referral_finds_it_taken_back_and_leaves_it_so(self, clinic: TestClinic):
        await seen(clinic)
        await corrected(clinic, "noshow")
        before = await one(clinic, "CarePlan")
        await clinic.publish("referral.revoked", focus=a_referral("r1"), carries=[a_process_request("r1")])
        await held(clinic)
        assert await one(clinic, "CarePlan") == before
        assert (await one(clinic, "CareTeam"))["status"] == "inactive"

    async def test_a_session_that_was_corrected_takes_nothing_back(self, clinic: TestClinic):
        await seen(clinic)
        await corrected(clinic, "noshow", kind="session")
        plan = await one(clinic, "CarePlan")
        assert plan["status"] == "draft"
        history = await clinic.as_("psychologist").get(f"{BASE}/CarePlan/{plan['id']}/_history")
        assert history.json()["total"] == 1
