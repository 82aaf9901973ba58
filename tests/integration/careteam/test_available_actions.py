"""`$available-actions`: what may be done now, which is what the calls then say."""

from typing import Any

import httpx
import pytest

from services.careteam.states import ActionState, GoalState, MeetingState, PlanState
from tests.integration.careteam.care import (
    BASE,
    FIVE,
    WALKING,
    a_case,
    a_message,
    a_rating,
    asking,
    attended,
    chair,
    deciding,
    found,
    later,
    next_meeting,
    one,
    open_with,
    oswestry,
    put,
    seen,
    with_a_case,
)
from tests.support.actions import Action, declared, drifting, offered
from tests.support.clinic import TestClinic
from tests.support.sql import sql

_TEAM = """
UPDATE team SET status = :status::text, ended_at = CASE WHEN :status::text = 'inactive' THEN formed_at END
"""
_PLAN = "UPDATE plan SET status = :status, activated_at = drafted_at, ended_at = NULL"
_MEETING = "UPDATE meeting SET state = :state WHERE id = :id"
_CASE = "UPDATE care_task SET state = :state, meeting_id = :meeting WHERE id = :id"
_MINUTES = """
INSERT INTO minutes (id, event_version, version, last_updated, body, meeting_id, site, status, dated_at)
SELECT gen_random_uuid(), 0, 1, starts_at, convert_to('{"resourceType":"Composition"}', 'UTF8'), id, site,
  'preliminary', starts_at FROM meeting WHERE id = :id AND state = 'closed'
"""


async def changed(clinic: TestClinic, *statements: str, **values: Any) -> None:
    """Change what is stored behind the back of the service."""
    async with clinic.databases["careteam"].transaction() as tx:
        for statement in statements:
            await sql(tx, statement, **values)


async def saved(clinic: TestClinic, action: Action, by: str, **more: Any) -> httpx.Response:
    """PUT the resource as it is, with what the action sets and `more`."""
    resource = (await clinic.as_(by).get(action.address)).json()
    values = {name: allowed[0] for name, allowed in action.allowed.items() if allowed}
    return await put(clinic, {**resource, **more, **values}, by=by)


class TestAMeeting:
    @pytest.mark.parametrize("state", MeetingState)
    @pytest.mark.parametrize("by", ["physiatrist", "psychologist"])
    async def test_is_led_by_its_chair_just_as_it_is_offered(
        self, clinic: TestClinic, state: MeetingState, by: str
    ) -> None:
        case, meeting = await with_a_case(clinic), await next_meeting(clinic)

        async def reset() -> None:
            await changed(clinic, _MEETING, "DELETE FROM minutes", _MINUTES, state=state, id=meeting["id"])
            await changed(clinic, _CASE, state="on-agenda", meeting=meeting["id"], id=case["id"])
            await changed(clinic, "UPDATE meeting_participant SET attended = true, left_at = NULL")

        async def call(action: Action) -> httpx.Response:
            leaves = {"name": "left", "valueReference": {"reference": "Practitioner/psychologist"}}
            said = declared(action, *attended(*FIVE), *deciding(case, "Go on"), leaves)
            return await chair(clinic, meeting, action.parts["name"], *said, by=by)

        address = f"{BASE}/Appointment/{meeting['id']}"
        names = ["open", "record-attendance", "decide", "close", "sign-minutes"]
        assert list(await offered(clinic, by, address)) == names
        assert await drifting(clinic, by, address, state=state, reset=reset, call=call) == []

    async def test_offers_a_coordinator_nothing_and_is_hidden_from_a_practice(
        self, clinic: TestClinic
    ) -> None:
        address = f"{BASE}/Appointment/{(await next_meeting(clinic))['id']}"
        assert await offered(clinic, "coordinator", address) == {}
        answer = await clinic.as_("family-practice").get(f"{address}/$available-actions")
        assert answer.status_code == 404


class TestAPlan:
    @pytest.mark.parametrize("status", PlanState)
    @pytest.mark.parametrize("team", ["active", "inactive"])
    async def test_is_offered_just_what_is_not_refused_for_its_state(
        self, clinic: TestClinic, status: PlanState, team: str
    ) -> None:
        await seen(clinic)
        plan = await one(clinic, "CarePlan", by="psychologist")

        async def reset() -> None:
            await changed(clinic, _PLAN, status=str(status))
            await changed(clinic, _TEAM, status=team)

        async def call(action: Action) -> httpx.Response:
            more = {"goal": plan["goal"], "activity": [WALKING], "note": [{"text": "Well."}]}
            return await saved(clinic, action, "psychologist", **more)

        address = f"{BASE}/CarePlan/{plan['id']}"
        assert await drifting(clinic, "psychologist", address, state=status, reset=reset, call=call) == []

    async def test_says_that_a_draft_is_activated_and_what_is_active_revised(
        self, clinic: TestClinic
    ) -> None:
        await seen(clinic)
        address = f"{BASE}/CarePlan/{(await one(clinic, 'CarePlan', by='psychologist'))['id']}"
        for status, names in (("draft", ["draft", "activate"]), ("active", ["revise", "complete"])):
            await changed(clinic, _PLAN, status=status)
            actions = await offered(clinic, "psychologist", address)
            assert [name for name, action in actions.items() if action.available] == names


class TestAGoal:
    @pytest.mark.parametrize("status", GoalState)
    async def test_is_offered_just_what_is_not_refused_for_its_state(
        self, clinic: TestClinic, status: GoalState
    ) -> None:
        await seen(clinic)
        goal = (await found(clinic, "Goal", by="psychologist"))[0]

        async def reset() -> None:
            await changed(clinic, "UPDATE goal SET lifecycle_status = :status", status=str(status))

        async def call(action: Action) -> httpx.Response:
            return await saved(clinic, action, "psychologist")

        address = f"{BASE}/Goal/{goal['id']}"
        assert await drifting(clinic, "psychologist", address, state=status, reset=reset, call=call) == []


class TestATask:
    @pytest.mark.parametrize("by", ["psychologist", "pain-physician"])
    @pytest.mark.parametrize("status", ActionState)
    async def test_that_is_an_action_is_offered_to_its_owner_just_as_it_may_change(
        self, clinic: TestClinic, status: ActionState, by: str
    ) -> None:
        case = await with_a_case(clinic)
        meeting = await open_with(clinic, *FIVE)
        asked = asking("psychologist", "Call the employer", later(clinic, days=9))
        await chair(clinic, meeting, "decide", *deciding(case, "Go on", asked))
        action = await one(clinic, "Task?code=action")

        async def reset() -> None:
            of_action = "UPDATE care_task SET state = :status, status = :status WHERE id = :id"
            await changed(clinic, of_action, status=str(status), id=action["id"])

        async def call(offer: Action) -> httpx.Response:
            return await saved(clinic, offer, by, statusReason={"text": "No consent to call"})

        address = f"{BASE}/Task/{action['id']}"
        assert await drifting(clinic, by, address, state=status, reset=reset, call=call) == []

    async def test_that_is_a_case_is_decided_at_its_meeting(self, clinic: TestClinic) -> None:
        case = await with_a_case(clinic)
        actions = await offered(clinic, "physiatrist", f"{BASE}/Task/{case['id']}")
        assert list(actions) == ["accept", "start", "complete", "reject"]
        reasons = {action.parts["reason"]["coding"][0]["code"] for action in actions.values()}
        assert reasons == {"decided-at-a-meeting"}


class TestATeam:
    @pytest.mark.parametrize("status", ["active", "inactive"])
    @pytest.mark.parametrize("case_state", ["on-agenda", "decided"])
    async def test_is_offered_just_what_is_not_refused_for_its_state(
        self, clinic: TestClinic, status: str, case_state: str
    ) -> None:
        case = await with_a_case(clinic)
        team = await one(clinic, "CareTeam")
        meeting = (await next_meeting(clinic))["id"]
        bodies = {
            "bring-case": a_case("What next?"),
            "write": a_message("Slept well"),
            "record-rating": a_rating(4),
            "record-answers": oswestry(*[2] * 10),
        }

        async def reset() -> None:
            await changed(clinic, "DELETE FROM care_task WHERE id <> :id", id=case["id"])
            await changed(clinic, _CASE, state=case_state, meeting=meeting, id=case["id"])
            await changed(clinic, _TEAM, status=status)

        async def call(action: Action) -> httpx.Response:
            body = bodies.get(str(action.parts["name"]))
            if body is None:
                return await saved(clinic, action, "coordinator")
            return await clinic.as_("psychologist").post(action.address, json=body)

        address = f"{BASE}/CareTeam/{team['id']}"
        assert list(await offered(clinic, "psychologist", address)) == list(bodies)
        assert list(await offered(clinic, "coordinator", address)) == ["change-members"]
        for party in ("psychologist", "coordinator"):
            assert await drifting(clinic, party, address, state=status, reset=reset, call=call) == []
