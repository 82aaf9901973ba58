"""Actions: done by their owner, or back on the agenda."""

from shared.fhir.reasons import concept
from shared.reasons import as_written
from tests.integration.careteam.care import (
    BASE,
    FIVE,
    asking,
    case_of,
    chair,
    counts,
    deciding,
    found,
    later,
    one,
    open_with,
    problems,
    put,
    with_a_case,
)
from tests.support.clinic import TestClinic


class TestActions:
    async def assigned(self, clinic: TestClinic) -> dict:
        case = await with_a_case(clinic)
        meeting = await open_with(clinic, *FIVE)
        asked = asking("psychologist", "Call the employer", later(clinic, days=3))
        await chair(clinic, meeting, "decide", *deciding(case, "Go on", asked))
        return await one(clinic, "Task?code=action&owner=Practitioner/psychologist", by="psychologist")

    async def test_its_owner_takes_it_to_its_end(self, clinic: TestClinic):
        action = await self.assigned(clinic)
        for status in ("accepted", "in-progress", "completed"):
            answer = await put(clinic, action | {"status": status}, by="psychologist")
            assert answer.status_code == 200, answer.text
            action = answer.json()
        await clinic.settle()
        (event,) = await clinic.events("action.completed")
        assert event.focus["id"] == action["id"]
        await clinic.days(5)
        assert await found(clinic, "Task?code=agenda-item&status=requested") == []

    async def test_nobody_else_does_and_nothing_but_its_progress_changes(self, clinic: TestClinic):
        action = await self.assigned(clinic)
        before = await counts(clinic)
        assert (await put(clinic, action | {"status": "accepted"}, by="pain-physician")).status_code == 403
        assert (await put(clinic, action | {"status": "accepted"}, by="coordinator")).status_code == 403
        handed_on = action | {"status": "cancelled", "owner": {"reference": "Practitioner/physiatrist"}}
        answer = await put(clinic, handed_on, by="psychologist")
        assert (answer.status_code, problems(answer)) == (422, ["Task.owner", "Task.status"])
        assert await counts(clinic) == before

    async def test_an_unknown_status_is_one_problem(self, clinic: TestClinic):
        action = await self.assigned(clinic)
        answer = await put(clinic, action | {"status": "on-hold"}, by="psychologist")
        assert (answer.status_code, problems(answer)) == (422, ["Task.status"])

    async def test_rejecting_needs_a_reason_and_puts_the_case_on_the_agenda(self, clinic: TestClinic):
        action = await self.assigned(clinic)
        silent = await put(clinic, action | {"status": "rejected"}, by="psychologist")
        assert (silent.status_code, problems(silent)) == (422, ["Task.statusReason.text"])
        told = action | {"status": "rejected", "statusReason": {"text": "No consent to call"}}
        rejected = await put(clinic, told, by="psychologist")
        assert rejected.status_code == 200
        assert rejected.json()["statusReason"] == concept([as_written("No consent to call")], {})
        case = await case_of(clinic)
        assert case["reasonCode"]["coding"][0]["code"] == "action-rejected"
        assert case["reasonCode"]["text"] == "An action was rejected by its owner."

    async def test_overdue_it_puts_the_case_on_the_agenda(self, clinic: TestClinic):
        await self.assigned(clinic)
        await clinic.days(5)
        case = await case_of(clinic)
        assert case["reasonCode"]["coding"][0]["code"] == "action-overdue"

    async def test_a_case_is_not_changed_by_hand(self, clinic: TestClinic):
        case = await with_a_case(clinic)
        assert (await put(clinic, case | {"status": "completed"}, by="physiatrist")).status_code == 409

    async def test_search_knows_owner_code_status_patient_and_referral(self, clinic: TestClinic):
        action = await self.assigned(clinic)
        for search in (
            "owner=Practitioner/psychologist",
            "code=action",
            "status=requested",
            "patient=Patient/patient-1&code=action",
            "based-on=ServiceRequest/r1&code=action",
        ):
            assert [one["id"] for one in await found(clinic, f"Task?{search}")] == [action["id"]], search
        answer = await clinic.as_("coordinator").get(f"{BASE}/Task?colour=red")
        assert answer.status_code == 400
