"""Who is at an open meeting: late comers, who leaves, and the positions on its agenda."""

from typing import Any

import pytest

from tests.integration.careteam.care import (
    BASE,
    FIVE,
    chair,
    counts,
    deciding,
    found,
    next_meeting,
    one,
    open_with,
    problems,
    seen,
    start_of,
    with_a_case,
)
from tests.support.clinic import TestClinic

Resource = dict[str, Any]
FOUR = tuple(person for person in FIVE if person != "occupational-therapist")


def who(name: str, person: str) -> Resource:
    return {"name": name, "valueReference": {"reference": f"Practitioner/{person}"}}


def participant(meeting: Resource, person: str) -> Resource:
    (found,) = [one for one in meeting["participant"] if one["actor"]["reference"].endswith(f"/{person}")]
    return found


def position_of(case: Resource) -> int | None:
    given = [one["valuePositiveInt"] for one in case.get("input", ()) if one["type"]["text"] == "position"]
    return given[0] if given else None


async def record(clinic: TestClinic, meeting: Resource, *people: Resource, by: str = "physiatrist") -> Any:
    return await chair(clinic, meeting, "record-attendance", *people, by=by)


class TestComing:
    async def test_a_meeting_that_is_opened_is_told(self, clinic: TestClinic) -> None:
        await with_a_case(clinic)
        meeting = await open_with(clinic, *FOUR)
        (event,) = await clinic.events("meeting.opened")
        assert (event.key, event.focus["status"]) == (meeting["id"], "arrived")

    async def test_late_completes_the_quorum_and_is_told(self, clinic: TestClinic) -> None:
        case = await with_a_case(clinic)
        meeting = await open_with(clinic, *FOUR)
        assert (await chair(clinic, meeting, "decide", *deciding(case, "Go on"))).status_code == 409
        came = await record(clinic, meeting, who("arrived", "occupational-therapist"))
        assert came.status_code == 200, came.text
        late = participant(came.json(), "occupational-therapist")
        assert (late["status"], "start" in late["period"]) == ("accepted", True)
        assert (await chair(clinic, meeting, "decide", *deciding(case, "Go on"))).status_code == 200
        (event,) = await clinic.events("meeting.attendance-changed")
        assert event.focus["meta"]["versionId"] == came.json()["meta"]["versionId"]

    async def test_twice_changes_nothing(self, clinic: TestClinic) -> None:
        await with_a_case(clinic)
        meeting = await open_with(clinic, *FOUR)
        first = await record(clinic, meeting, who("arrived", "occupational-therapist"))
        again = await record(clinic, meeting, who("arrived", "occupational-therapist"))
        assert again.json() == first.json()
        assert len(await clinic.events("meeting.attendance-changed")) == 1


class TestLeaving:
    async def test_before_a_case_is_decided_leaves_no_quorum_and_stays_in_the_minutes(
        self, clinic: TestClinic
    ) -> None:
        case = await with_a_case(clinic)
        meeting = await open_with(clinic, *FIVE)
        left = await record(clinic, meeting, who("left", "psychologist"))
        assert participant(left.json(), "psychologist")["period"].keys() == {"start", "end"}
        refused = await chair(clinic, meeting, "decide", *deciding(case, "Go on"))
        assert "psychology" in refused.json()["issue"][0]["details"]["text"]
        assert (await chair(clinic, meeting, "close")).status_code == 200
        minutes = await one(clinic, "Composition", by="psychologist")
        assert "Practitioner/psychologist" in str(minutes["section"][0]["entry"])

    async def test_who_comes_again_is_there_again(self, clinic: TestClinic) -> None:
        case = await with_a_case(clinic)
        meeting = await open_with(clinic, *FIVE)
        await record(clinic, meeting, who("left", "psychologist"))
        back = await record(clinic, meeting, who("arrived", "psychologist"))
        assert participant(back.json(), "psychologist")["period"].keys() == {"start"}
        assert (await chair(clinic, meeting, "decide", *deciding(case, "Go on"))).status_code == 200


class TestRefusing:
    @pytest.mark.parametrize(
        ("people", "path"),
        [
            ([], "Parameters.parameter"),
            ([who("arrived", "nobody")], "Parameters.parameter.where(name='arrived')"),
            ([who("left", "occupational-therapist")], "Parameters.parameter.where(name='left')"),
            (
                [who("arrived", "psychologist"), who("left", "psychologist")],
                "Parameters.parameter.where(name='left')",
            ),
        ],
    )
    async def test_what_cannot_be_is_named_and_nothing_is_written(
        self, clinic: TestClinic, people: list[Resource], path: str
    ) -> None:
        await with_a_case(clinic)
        meeting = await open_with(clinic, *FOUR)
        before = await counts(clinic)
        answer = await record(clinic, meeting, *people)
        assert (answer.status_code, problems(answer)) == (422, [path])
        assert await counts(clinic) == before

    async def test_only_the_chair_records_it_and_only_while_the_meeting_is_open(
        self, clinic: TestClinic
    ) -> None:
        await with_a_case(clinic)
        meeting = await next_meeting(clinic)
        early = await record(clinic, meeting, who("arrived", "psychologist"))
        assert early.status_code == 409
        await clinic.at(start_of(meeting))
        meeting = await open_with(clinic, *FOUR)
        other = await record(clinic, meeting, who("arrived", "psychologist"), by="psychologist")
        assert other.status_code == 403
        stranger = await clinic.as_("coordinator").post(
            f"{BASE}/Appointment/{meeting['id']}/$record-attendance", json={"resourceType": "Parameters"}
        )
        assert stranger.status_code == 403
        assert await clinic.events("meeting.attendance-changed") == []


class TestPositions:
    async def test_follow_the_order_in_which_cases_came_and_start_anew_at_the_next_meeting(
        self, clinic: TestClinic
    ) -> None:
        await with_a_case(clinic)
        await seen(clinic, "r2", patient="patient-2")
        brought = await found(clinic, "Task?code=agenda-item")
        assert [position_of(case) for case in brought] == [1]
        case = {
            "resourceType": "Task",
            "status": "requested",
            "intent": "plan",
            "code": brought[0]["code"],
            "for": {"reference": "Patient/patient-2"},
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
