"""The plan: drafted by the first visit, versioned, completed at discharge."""

from tests.integration.careteam.care import (
    BASE,
    WALKING,
    active_plan,
    case_of,
    counts,
    found,
    one,
    oswestry,
    post,
    problems,
    put,
    rated,
    seen,
)
from tests.integration.careteam.events import an_appointment
from tests.support.clinic import TestClinic

HOME = {
    "resourceType": "Goal",
    "id": "home",
    "lifecycleStatus": "proposed",
    "description": {"text": "Keep the garden"},
    "subject": {"reference": "Patient/patient-1"},
    "target": [{"measure": {"text": "hours"}, "detailQuantity": {"value": 2}}],
}


class TestDraft:
    async def test_opens_with_the_first_visit_and_proposes_a_goal_for_each_instrument(
        self, clinic: TestClinic
    ):
        await seen(clinic)
        draft = await one(clinic, "CarePlan?based-on=ServiceRequest/r1", by="psychologist")
        assert draft["status"] == "draft"
        assert draft["author"] == {"reference": "Practitioner/pain-physician", "display": "Claire Moreau"}
        goals = await found(clinic, "Goal?patient=patient-1", by="psychologist")
        assert {one["reference"] for one in draft["goal"]} == {f"Goal/{goal['id']}" for goal in goals}
        assert {goal["lifecycleStatus"] for goal in goals} == {"proposed"}

    async def test_opens_once(self, clinic: TestClinic):
        await seen(clinic)
        await clinic.publish("appointment.fulfilled", focus=an_appointment("r1", status="fulfilled"))
        await clinic.settle()
        assert (await one(clinic, "CarePlan"))["meta"]["versionId"] == "1"

    async def test_opens_with_a_first_visit_that_took_place_after_all(self, clinic: TestClinic):
        await clinic.publish("appointment.booked", focus=an_appointment("r1", status="booked"))
        await clinic.publish("appointment.corrected", focus=an_appointment("r1", status="fulfilled"))
        await clinic.settle()
        assert (await one(clinic, "CarePlan"))["status"] == "draft"

    async def test_a_corrected_session_opens_none(self, clinic: TestClinic):
        visit = an_appointment("r1", status="fulfilled", kind="session")
        await clinic.publish("appointment.corrected", focus=visit)
        await clinic.settle()
        assert await found(clinic, "CarePlan") == []

    async def test_a_session_opens_none(self, clinic: TestClinic):
        await seen(clinic, kind="session")
        assert await found(clinic, "CarePlan") == []


class TestSaving:
    async def test_activating_makes_a_version_and_activates_the_goals(self, clinic: TestClinic):
        await seen(clinic)
        plan = await active_plan(clinic)
        assert (plan["status"], plan["meta"]["versionId"], plan["activity"]) == ("active", "2", [WALKING])
        assert {goal["lifecycleStatus"] for goal in await found(clinic, "Goal")} == {"active"}
        (event,) = await clinic.events("plan.activated")
        assert (event.key, len(event.carried("Goal"))) == ("patient-1", 2)

    async def test_every_version_stays_readable(self, clinic: TestClinic):
        await seen(clinic)
        plan = await active_plan(clinic)
        revised = await put(clinic, plan | {"description": "Slower"}, by="psychologist")
        assert revised.headers["etag"] == 'W/"3"'
        await clinic.settle()
        history = (await clinic.as_("psychologist").get(f"{BASE}/CarePlan/{plan['id']}/_history")).json()
        kept = [entry["resource"] for entry in history["entry"]]
        assert [(one["meta"]["versionId"], one["status"]) for one in kept] == [
            ("3", "active"),
            ("2", "active"),
            ("1", "draft"),
        ]
        assert [event.version for event in await clinic.events("plan.revised")] == [2]

    async def test_a_stale_version_is_refused_and_writes_nothing(self, clinic: TestClinic):
        await seen(clinic)
        plan = await active_plan(clinic)
        before = await counts(clinic)
        late = plan | {"description": "Faster"}
        assert (await put(clinic, late, by="psychologist", version="1")).status_code == 412
        without = await clinic.as_("psychologist").put(f"{BASE}/CarePlan/{plan['id']}", json=late)
        assert without.status_code == 422
        assert await counts(clinic) == before

    async def test_all_that_is_wrong_is_told_at_once_and_nothing_is_written(self, clinic: TestClinic):
        await seen(clinic)
        draft = await one(clinic, "CarePlan")
        before = await counts(clinic)
        wrong = draft | {
            "status": "active",
            "goal": [{"reference": "Goal/0190a0a0-0000-7000-8000-000000000000"}],
            "author": {"reference": "Practitioner/psychologist"},
        }
        answer = await put(clinic, wrong, by="psychologist")
        assert answer.status_code == 422
        assert set(problems(answer)) == {"CarePlan.author", "CarePlan.goal[0]", "CarePlan.activity"}
        assert await counts(clinic) == before

    async def test_a_goal_inside_the_plan_becomes_a_goal_of_its_own_and_keeps_its_decimals(
        self, clinic: TestClinic
    ):
        await seen(clinic)
        draft = await one(clinic, "CarePlan")
        body = draft | {
            "status": "active",
            "activity": [WALKING],
            "contained": [HOME],
            "goal": [{"reference": "#home"}],
        }
        answer = await put(clinic, body, by="psychologist")
        assert answer.status_code == 200, answer.text
        plan = answer.json()
        assert "contained" not in plan
        (reference,) = plan["goal"]
        goal = await clinic.as_("psychologist").get(f"{BASE}/{reference['reference']}")
        assert goal.json()["lifecycleStatus"] == "active"
        assert goal.json()["description"] == {"text": "Keep the garden"}
        states = sorted(one["lifecycleStatus"] for one in await found(clinic, "Goal"))
        assert states == ["active", "cancelled", "cancelled"]

    async def test_a_goal_is_changed_by_its_own_address(self, clinic: TestClinic):
        await seen(clinic)
        await active_plan(clinic)
        goal = (await found(clinic, "Goal"))[0]
        reached = goal | {
            "lifecycleStatus": "completed",
            "achievementStatus": {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/goal-achievement", "code": "achieved"}
                ]
            },
        }
        assert (await put(clinic, reached, by="psychologist")).status_code == 200
        again = (await found(clinic, f"Goal?_id={goal['id']}"))[0]
        back = await put(clinic, again | {"lifecycleStatus": "active"}, by="psychologist")
        assert (back.status_code, problems(back)) == (422, ["Goal.lifecycleStatus"])

    async def test_who_is_in_no_team_of_the_patient_finds_no_plan(self, clinic: TestClinic):
        await seen(clinic, programme="rapid-access", practitioner="physiotherapist")
        draft = await one(clinic, "CarePlan")
        answer = await put(clinic, draft | {"status": "active", "activity": [WALKING]}, by="psychologist")
        assert answer.status_code == 404
        for outsider in ("psychologist", "coordinator"):
            before = await counts(clinic)
            await put(clinic, draft | {"status": "active", "activity": [WALKING]}, by=outsider)
            assert await counts(clinic) == before
        referrer = await clinic.as_("family-practice").get(f"{BASE}/CarePlan/{draft['id']}")
        assert referrer.status_code in (403, 404)


class TestFirstReview:
    async def test_a_plan_of_three_disciplines_goes_on_the_agenda(self, clinic: TestClinic):
        await seen(clinic)
        await active_plan(clinic)
        case = await case_of(clinic)
        assert case["reasonCode"]["coding"][0]["code"] == "first-plan-review"

    async def test_a_plan_of_two_does_not(self, clinic: TestClinic):
        await seen(clinic, programme="rapid-access", practitioner="physiotherapist")
        await active_plan(clinic)
        assert await found(clinic, "Task?code=agenda-item") == []


class TestDischarge:
    async def test_needs_to_say_how_it_ended(self, clinic: TestClinic):
        await seen(clinic)
        plan = await active_plan(clinic)
        before = await counts(clinic)
        answer = await put(clinic, plan | {"status": "completed"}, by="physiatrist")
        assert (answer.status_code, problems(answer)) == (422, ["CarePlan.note"])
        assert await counts(clinic) == before

    async def test_tells_baseline_and_last_of_each_instrument_and_ends_the_team(self, clinic: TestClinic):
        await seen(clinic)
        plan = await active_plan(clinic)
        for score in (8, 6, 2):
            await rated(clinic, score)
            await clinic.days(1)
        await post(clinic, oswestry(*[2] * 10), by="physiotherapist")
        await clinic.settle()
        done = plan | {"status": "completed", "note": [{"text": "Back at work"}]}
        answer = await put(clinic, done, by="physiatrist")
        assert answer.status_code == 200, answer.text
        await clinic.settle()

        (event,) = await clinic.events("patient.discharged")
        assert event.focus["careTeam"] == plan["careTeam"]
        assert event.focus["identifier"][0]["value"] == "r1"
        told = [
            one.get("valueInteger", one.get("valueQuantity", {}).get("value"))
            for one in event.carried("Observation")
        ]
        assert told == [8, 40, 2]
        assert {goal["lifecycleStatus"] for goal in await found(clinic, "Goal")} == {"completed"}
        assert (await one(clinic, "CareTeam"))["status"] == "inactive"
        dropped = await one(clinic, "Task?code=agenda-item")
        assert dropped["businessStatus"]["coding"][0]["code"] == "dropped"
        await clinic.days(80)
        assert await clinic.events("outcome.off-track") == []
