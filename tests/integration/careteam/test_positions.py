"""A meeting that is opened is told, and the cases on its agenda have positions."""

from typing import Any

from tests.integration.careteam.care import (
    BASE,
    FIVE,
    chair,
    deciding,
    found,
    open_with,
    seen,
    with_a_case,
)
from tests.support.clinic import TestClinic

Resource = dict[str, Any]
FOUR = tuple(person for person in FIVE if person != "occupational-therapist")


def position_of(case: Resource) -> int | None:
    given = [one["valuePositiveInt"] for one in case.get("input", ()) if one["type"]["text"] == "position"]
    return given[0] if given else None


class TestOpening:
    async def test_a_meeting_that_is_opened_is_told(self, clinic: TestClinic) -> None:
        await with_a_case(clinic)
        meeting = await open_with(clinic, *FOUR)
        (event,) = await clinic.events("meeting.opened")
        assert (event.key, event.focus["status"]) == (meeting["id"], "arrived")


class TestPositions:
    async def test_follow_the_order_in_which_cases_came_and_start_anew_at_the_next_meeting(
        self, clinic: TestClinic
    ) -> None:
        await with_a_case(clinic)
        await seen(clinic, "r2", patient="patient-2")
        brought = await found(clinic, "Task?code=agenda-item")
        assert [position_of(case) for case in brought] == [1]
        for patient in ("patient-2",):
            case = {
                "resourceType": "Task",
                "status": "requested",
                "intent": "plan",
                "code": brought[0]["code"],
                "for": {"reference": f"Patient/{patient}"},
                "reasonCode": {"text": "Slow"},
            }
            answer = await clinic.as_("physiatrist").post(f"{BASE}/Task", json=case)
            assert answer.status_code == 201, answer.text
            assert position_of(answer.json()) == 2
        meeting = await open_with(clinic, *FIVE)
        assert (await chair(clinic, meeting, "decide", *deciding(brought[0], "Go on"))).status_code == 200
        assert (await chair(clinic, meeting, "close")).status_code == 200
        carried = await found(clinic, "Task?code=agenda-item&status=requested")
        assert [position_of(case) for case in carried] == [1]
