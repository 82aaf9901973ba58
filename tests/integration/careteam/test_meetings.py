"""Case meetings: on the clinic's calendar, led by the chair, with a quorum, and nothing lost between two."""

from datetime import UTC, datetime, timedelta

from tests.integration.careteam.care import (
    FIVE,
    a_case,
    asking,
    attended,
    case_of,
    chair,
    counts,
    deciding,
    found,
    later,
    next_meeting,
    one,
    open_with,
    post,
    problems,
    seen,
    start_of,
    with_a_case,
)
from tests.support.clinic import TestClinic


def state_of(task: dict) -> str:
    code: str = task["businessStatus"]["coding"][0]["code"]
    return code


class TestCalendar:
    async def test_there_is_one_meeting_ahead_from_the_start_at_noon_of_the_site(self, clinic: TestClinic):
        meeting = await one(clinic, "Appointment")
        assert start_of(meeting) == datetime(2026, 3, 4, 17, tzinfo=UTC)
        assert meeting["minutesDuration"] == 60
        (event,) = await clinic.events("meeting.scheduled")
        assert event.key == meeting["id"]

    async def test_the_next_one_stands_when_an_agenda_is_published(self, clinic: TestClinic):
        await clinic.at(datetime(2026, 3, 3, 17, tzinfo=UTC))
        meetings = await found(clinic, "Appointment?_sort=date")
        # Daylight saving begins on 8 March: noon is an hour earlier in UTC.
        assert [start_of(one) for one in meetings] == [
            datetime(2026, 3, 4, 17, tzinfo=UTC),
            datetime(2026, 3, 11, 16, tzinfo=UTC),
        ]

    async def test_a_meeting_that_nobody_opens_was_not_held_and_its_case_is_carried_over(
        self, clinic: TestClinic
    ):
        case = await with_a_case(clinic)
        first = await next_meeting(clinic)
        await clinic.at(start_of(first) + timedelta(hours=2))
        assert (await one(clinic, f"Appointment?_id={first['id']}"))["status"] == "cancelled"
        carried = await one(clinic, f"Task?_id={case['id']}")
        following = await next_meeting(clinic)
        assert state_of(carried) == "carried-over"
        assert following["id"] in str(carried["input"])
        assert [len(event.carried("Task")) for event in await clinic.events("meeting.closed")] == [1]


class TestAgenda:
    async def test_is_published_a_day_before_to_the_teams_of_its_cases(self, clinic: TestClinic):
        case = await with_a_case(clinic)
        meeting = await next_meeting(clinic)
        await clinic.at(start_of(meeting) - timedelta(hours=24))
        (event,) = await clinic.events("meeting.agenda-published")
        assert [task["id"] for task in event.carried("Task")] == [case["id"]]
        invited = {one["actor"]["reference"] for one in event.focus["participant"]}
        assert invited == {f"Practitioner/{person}" for person in FIVE}
        published = int(event.focus["meta"]["versionId"])
        assert published == int(meeting["meta"]["versionId"]) + 1

    async def test_a_member_brings_a_case_once(self, clinic: TestClinic):
        await seen(clinic, programme="rapid-access", practitioner="physiotherapist")
        brought = await post(clinic, a_case("Pain at night again"), by="physiotherapist")
        assert brought.status_code == 201, brought.text
        assert state_of(brought.json()) == "on-agenda"
        before = await counts(clinic)
        again = await post(clinic, a_case("Pain at night again"), by="physiotherapist")
        assert again.status_code == 409
        assert await counts(clinic) == before

    async def test_nobody_else_does_and_no_other_task_is_created(self, clinic: TestClinic):
        await seen(clinic, programme="rapid-access", practitioner="physiotherapist")
        before = await counts(clinic)
        assert (await post(clinic, a_case("Why not"), by="psychologist")).status_code == 404
        action = a_case("Do it") | {"code": {"text": "action"}, "reasonCode": {"text": " "}}
        answer = await post(clinic, action, by="physiotherapist")
        assert (answer.status_code, problems(answer)) == (422, ["Task.code", "Task.reasonCode.text"])
        assert await counts(clinic) == before

    async def test_a_case_that_comes_after_the_agenda_goes_to_the_next_meeting(self, clinic: TestClinic):
        await seen(clinic)
        first = await next_meeting(clinic)
        await clinic.at(start_of(first) - timedelta(hours=1))
        await post(clinic, a_case("New weakness"), by="psychologist")
        case = await case_of(clinic)
        assert first["id"] not in str(case["input"])


class TestLeading:
    async def test_only_the_chair_leads_and_every_act_has_its_time(self, clinic: TestClinic):
        await with_a_case(clinic)
        meeting = await next_meeting(clinic)
        await clinic.at(start_of(meeting))
        before = await counts(clinic)
        assert (await chair(clinic, meeting, "open", *attended(*FIVE), by="psychologist")).status_code == 403
        assert (await chair(clinic, meeting, "open", *attended(*FIVE), by="coordinator")).status_code == 403
        assert (await chair(clinic, meeting, "close")).status_code == 409
        assert (await chair(clinic, meeting, "sign-minutes")).status_code == 409
        assert await counts(clinic) == before

    async def test_opening_needs_a_published_agenda_and_people_of_the_site(self, clinic: TestClinic):
        await with_a_case(clinic)
        meeting = await next_meeting(clinic)
        assert (await chair(clinic, meeting, "open", *attended(*FIVE))).status_code == 409
        await clinic.at(start_of(meeting))
        nobody = await chair(clinic, meeting, "open")
        stranger = await chair(clinic, meeting, "open", *attended("somebody"))
        expression = "Parameters.parameter.where(name='attended')"
        assert (nobody.status_code, problems(nobody)) == (422, [expression])
        assert (stranger.status_code, problems(stranger)[0]) == (422, expression)

    async def test_a_decision_leaves_actions_a_revision_and_who_decided(self, clinic: TestClinic):
        case = await with_a_case(clinic)
        meeting = await open_with(clinic, *FIVE)
        answer = await chair(
            clinic,
            meeting,
            "decide",
            *deciding(case, "Graded activity", asking("psychologist", "Lead it", later(clinic, days=14))),
            {"name": "revise-plan", "valueBoolean": True},
        )
        assert answer.status_code == 200, answer.text
        decided = answer.json()
        assert (decided["status"], state_of(decided)) == ("completed", "decided")
        assert decided["output"][0]["valueString"] == "Graded activity"
        actions = {task["owner"]["reference"]: task for task in await found(clinic, "Task?code=action")}
        assert set(actions) == {"Practitioner/psychologist", "Practitioner/pain-physician"}
        assert actions["Practitioner/psychologist"]["partOf"] == [{"reference": f"Task/{case['id']}"}]
        assert "CarePlan/" in actions["Practitioner/pain-physician"]["focus"]["reference"]
        assert len(await clinic.events("action.assigned")) == 2
        (event,) = await clinic.events("meeting.case-decided")
        assert (event.key, event.focus["id"]) == ("patient-1", case["id"])
        proof = await one(clinic, f"Provenance?target=Task/{case['id']}")
        assert proof["agent"][0]["who"] == {
            "reference": "Practitioner/physiatrist",
            "display": "Adaeze Okafor",
        }

    async def test_without_a_quorum_the_case_is_not_decided_and_the_missing_discipline_is_named(
        self, clinic: TestClinic
    ):
        case = await with_a_case(clinic)
        meeting = await open_with(clinic, "physiatrist", "physiotherapist", "pain-physician", "psychologist")
        before = await counts(clinic)
        answer = await chair(clinic, meeting, "decide", *deciding(case, "Go on"))
        assert answer.status_code == 409
        assert "occupational-therapy" in answer.json()["issue"][0]["details"]["text"]
        assert await counts(clinic) == before

    async def test_all_that_is_wrong_with_a_decision_is_told_at_once(self, clinic: TestClinic):
        case = await with_a_case(clinic)
        meeting = await open_with(clinic, *FIVE)
        before = await counts(clinic)
        late = asking(
            "physiotherapist-2", "Do it", (clinic.clock.now() - timedelta(days=2)).date().isoformat()
        )
        answer = await chair(clinic, meeting, "decide", *deciding(case, "Go on", late))
        assert answer.status_code == 422
        assert [path.rpartition("name=")[2] for path in problems(answer)] == ["'owner')", "'due')"]
        empty = await chair(clinic, meeting, "decide", {"name": "action", "part": []})
        assert empty.status_code == 422
        assert await counts(clinic) == before

    async def test_an_action_is_due_on_a_day_around_which_days_can_be_counted(self, clinic: TestClinic):
        case = await with_a_case(clinic)
        meeting = await open_with(clinic, *FIVE)
        never = asking("physiotherapist", "Do it", "9999-12-31")
        answer = await chair(clinic, meeting, "decide", *deciding(case, "Go on", never))
        assert answer.status_code == 422
        assert [path.rpartition(".part")[2] for path in problems(answer)] == [".where(name='due')"]

    async def test_a_case_is_decided_once_and_only_on_its_own_agenda(self, clinic: TestClinic):
        case = await with_a_case(clinic)
        meeting = await open_with(clinic, *FIVE)
        assert (await chair(clinic, meeting, "decide", *deciding(case, "Go on"))).status_code == 200
        assert (await chair(clinic, meeting, "decide", *deciding(case, "Go on"))).status_code == 409
        elsewhere = await next_meeting(clinic)
        assert (await chair(clinic, elsewhere, "decide", *deciding(case, "Go on"))).status_code in (404, 409)
        nowhere = await chair(clinic, meeting, "decide", *deciding({"id": "no-such"}, "Go on"))
        assert (nowhere.status_code, problems(nowhere)) == (
            404,
            ["Parameters.parameter.where(name='case')"],
        )


class TestClosing:
    async def test_what_was_not_decided_is_carried_over_and_the_minutes_are_signed(self, clinic: TestClinic):
        case = await with_a_case(clinic)
        meeting = await open_with(clinic, *FIVE)
        closed = await chair(clinic, meeting, "close")
        assert closed.json()["status"] == "fulfilled"
        assert state_of(await one(clinic, f"Task?_id={case['id']}")) == "carried-over"
        (event,) = await clinic.events("meeting.closed")
        assert [task["id"] for task in event.carried("Task")] == [case["id"]]

        assert (await one(clinic, "Composition"))["status"] == "preliminary"
        signed = await chair(clinic, meeting, "sign-minutes")
        assert signed.status_code == 200, signed.text
        assert signed.json()["status"] == "final"
        assert signed.json()["attester"][0]["party"] == {
            "reference": "Practitioner/physiatrist",
            "display": "Adaeze Okafor",
        }
        (told,) = await clinic.events("meeting.minutes-signed")
        assert told.carried("Composition")[0]["id"] == signed.json()["id"]
        assert (await chair(clinic, meeting, "sign-minutes")).status_code == 409

        again = await open_with(clinic, *FIVE)
        assert (await chair(clinic, again, "decide", *deciding(case, "Go on"))).status_code == 200

    async def test_the_minutes_are_read_by_those_who_came(self, clinic: TestClinic):
        await with_a_case(clinic)
        meeting = await open_with(clinic, "physiatrist", "psychologist")
        await chair(clinic, meeting, "close")
        assert len(await found(clinic, "Composition", by="psychologist")) == 1
        assert await found(clinic, "Composition", by="pain-physician") == []

    async def test_a_meeting_that_its_chair_forgets_closes_by_itself(self, clinic: TestClinic):
        case = await with_a_case(clinic)
        meeting = await open_with(clinic, *FIVE)
        await clinic.at(start_of(meeting) + timedelta(hours=12))
        assert (await one(clinic, f"Appointment?_id={meeting['id']}"))["status"] == "arrived"
        await clinic.at(start_of(meeting) + timedelta(hours=14))
        assert (await one(clinic, f"Appointment?_id={meeting['id']}"))["status"] == "fulfilled"
        assert state_of(await one(clinic, f"Task?_id={case['id']}")) == "carried-over"
