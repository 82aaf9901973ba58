"""A patient's summary: all that a team needs at once, inside the row scope and the token's scopes."""

from datetime import timedelta
from typing import Any

from shared.auth.assertion import client_assertion, token_request, token_url
from shared.auth.keys import load_client_key
from tests.integration.careteam.care import (
    BASE,
    Resource,
    a_message,
    asking,
    chair,
    deciding,
    found,
    one,
    open_with,
    oswestry,
    post,
    put,
    rated,
    seen,
    with_a_case,
)
from tests.support.clinic import BASE_URL, TestClinic
from tests.support.identity import keys_of_run
from tests.support.sql import sql

_PATH = f"{BASE}/Patient/patient-1/$summary"


async def summary(clinic: TestClinic, *, by: str = "physiatrist", **query: str) -> list[Resource]:
    answer = await clinic.as_(by).get(_PATH, params=query)
    assert answer.status_code == 200, answer.text
    assert answer.json()["resourceType"] == "Parameters"
    parameters: list[Resource] = answer.json().get("parameter", [])
    return parameters


def parts(parameters: list[Resource], name: str) -> list[Any]:
    """Give what stands under a name: a resource, a value, or the parts."""
    return [
        parameter.get("resource")
        or parameter.get("part")
        or next(value for key, value in parameter.items() if key.startswith("value"))
        for parameter in parameters
        if parameter["name"] == name
    ]


async def in_care(clinic: TestClinic) -> None:
    await seen(clinic, programme="rapid-access", practitioner="physiotherapist")


async def trends(clinic: TestClinic, **asked: str) -> dict[str, list[Resource]]:
    (care,) = parts(await summary(clinic, **asked), "care")
    return {parts(trend, "instrument")[0]: trend for trend in parts(care, "trend")}


def scores(trend: list[Resource]) -> list[float]:
    return [parts(value, "value")[0] for value in parts(trend, "value")]


class TestCare:
    async def test_has_the_team_its_plan_its_goals_and_the_next_case(self, clinic: TestClinic) -> None:
        case = await with_a_case(clinic)
        (care,) = parts(await summary(clinic), "care")
        assert [part["name"] for part in care[:2]] == ["team", "plan"]
        assert parts(care, "team") == [await one(clinic, "CareTeam")]
        assert parts(care, "plan") == [await one(clinic, "CarePlan")]
        assert parts(care, "case") == [case]
        goals = {goal["id"] for goal in await found(clinic, "Goal")}
        assert {goal["id"] for goal in parts(care, "goal")} == goals

    async def test_leaves_out_goals_that_were_given_up(self, clinic: TestClinic) -> None:
        await in_care(clinic)
        first, second = await found(clinic, "Goal")
        given_up = await put(clinic, first | {"lifecycleStatus": "cancelled"}, by="physiotherapist")
        assert given_up.status_code == 200, given_up.text
        (care,) = parts(await summary(clinic), "care")
        assert [goal["id"] for goal in parts(care, "goal")] == [second["id"]]

    async def test_of_two_teams_is_the_newest_first(self, clinic: TestClinic) -> None:
        await in_care(clinic)
        await clinic.days(1)
        await seen(clinic, "r2", programme="rapid-access", practitioner="physiotherapist")
        cares = parts(await summary(clinic), "care")
        assert [parts(care, "team")[0]["identifier"][0]["value"] for care in cares] == ["r2", "r1"]
        assert [parts(care, "plan")[0]["identifier"][0]["value"] for care in cares] == ["r2", "r1"]


class TestTrend:
    async def test_says_the_scale_the_direction_and_what_change_matters(self, clinic: TestClinic) -> None:
        await in_care(clinic)
        await rated(clinic, 8, by="physiotherapist")
        trend = (await trends(clinic))["nprs"]
        (value,) = parts(trend, "value")
        assert [parts(trend, name) for name in ("lowest", "highest", "better", "important", "baseline")] == [
            [0],
            [10],
            ["lower"],
            [2],
            [8],
        ]
        (observation,) = await found(clinic, "Observation")
        assert parts(value, "at") == [observation["effectiveDateTime"]]
        assert parts(value, "observation") == [{"reference": f"Observation/{observation['id']}"}]

    async def test_is_one_for_each_instrument_that_was_measured(self, clinic: TestClinic) -> None:
        await in_care(clinic)
        assert await trends(clinic) == {}
        answered = await post(clinic, oswestry(2, 2, 2, 2, 2, 2, 1, 1, 1, 1), by="physiotherapist")
        assert answered.status_code == 201, answered.text
        await clinic.settle()
        (trend,) = (await trends(clinic)).values()
        assert (parts(trend, "instrument"), scores(trend), parts(trend, "highest")) == (
            ["oswestry"],
            [32],
            [100],
        )

    async def test_has_the_last_26_oldest_first_and_the_baseline_from_before(
        self, clinic: TestClinic
    ) -> None:
        await in_care(clinic)
        for score in (9, 8, *[7] * 24, 3):
            await rated(clinic, score, by="physiotherapist")
            await clinic.days(1)
        trend = (await trends(clinic))["nprs"]
        assert scores(trend) == [8, *[7] * 24, 3]
        assert parts(trend, "baseline") == [9]

    async def test_since_a_day_leaves_out_what_was_measured_before(self, clinic: TestClinic) -> None:
        await in_care(clinic)
        await rated(clinic, 9, by="physiotherapist")
        await clinic.days(3)
        await rated(clinic, 4, by="physiotherapist")
        day = (clinic.clock.now() - timedelta(days=1)).date().isoformat()
        trend = (await trends(clinic, since=day))["nprs"]
        assert (scores(trend), parts(trend, "baseline")) == ([4], [9])


class TestActionsAndMessages:
    async def test_open_actions_come_by_when_they_are_due(self, clinic: TestClinic) -> None:
        case = await with_a_case(clinic)
        meeting = await open_with(
            clinic,
            "physiatrist",
            "physiotherapist",
            "psychologist",
            "occupational-therapist",
            "pain-physician",
        )
        actions = [
            asking("psychologist", "Second", "2026-05-20"),
            asking("physiotherapist", "First", "2026-05-11"),
        ]
        decided = await chair(clinic, meeting, "decide", *deciding(case, "Go on", *actions))
        assert decided.status_code == 200, decided.text
        listed = parts(await summary(clinic), "action")
        assert [action["description"] for action in listed] == ["First", "Second"]
        done = await put(clinic, listed[0] | {"status": "completed"}, by="physiotherapist")
        assert done.status_code == 200, done.text
        assert [one["description"] for one in parts(await summary(clinic), "action")] == ["Second"]

    async def test_the_last_ten_messages_come_newest_first(self, clinic: TestClinic) -> None:
        await in_care(clinic)
        for number in range(12):
            answer = await post(clinic, a_message(f"Number {number}"), by="physiotherapist")
            assert answer.status_code == 201, answer.text
            await clinic.days(0.1)
        told = [one["payload"][0]["contentString"] for one in parts(await summary(clinic), "message")]
        assert told == [f"Number {number}" for number in range(11, 1, -1)]


class TestWhoMayAsk:
    async def test_a_member_and_the_sites_coordinator_and_nobody_else(self, clinic: TestClinic) -> None:
        await in_care(clinic)
        for reader in ("physiatrist", "physiotherapist", "coordinator"):
            assert (await clinic.as_(reader).get(_PATH)).status_code == 200, reader
        assert (await clinic.as_("psychologist").get(_PATH)).status_code == 404
        for stranger in ("family-practice", "workplace-insurer", "operator"):
            assert (await clinic.as_(stranger).get(_PATH)).status_code == 403, stranger
        nobody = await clinic.as_("coordinator").get(f"{BASE}/Patient/nobody/$summary")
        assert nobody.status_code == 404
        nothing = await clinic.as_("coordinator").get(f"{BASE}/Patient/%00/$summary")
        assert nothing.status_code in (400, 404, 422)

    async def test_who_was_taken_off_the_team_is_told_nothing(self, clinic: TestClinic) -> None:
        await in_care(clinic)
        team = await one(clinic, "CareTeam")
        stay = [
            who for who in team["participant"] if who["member"]["reference"] != "Practitioner/physiotherapist"
        ]
        assert (await put(clinic, team | {"participant": stay}, by="coordinator")).status_code == 200
        assert (await clinic.as_("physiotherapist").get(_PATH)).status_code == 404

    async def test_a_token_that_reads_no_messages_and_no_scores_gets_none(self, clinic: TestClinic) -> None:
        await in_care(clinic)
        await rated(clinic, 9, by="physiotherapist")
        await post(clinic, a_message("Hello"), by="physiotherapist")
        key = load_client_key(keys_of_run(), "physiatrist")
        form = token_request(
            client_assertion("physiatrist", key, token_url(BASE_URL)), scope="user/Patient.r user/CarePlan.r"
        )
        narrow = (await clinic.anonymous().post("/auth/token", data=form)).json()["access_token"]
        answer = await clinic.anonymous().get(_PATH, headers={"Authorization": f"Bearer {narrow}"})
        (care,) = answer.json()["parameter"]
        assert [part["name"] for part in care["part"]] == ["plan"]

    async def test_is_audited_as_about_the_patient(self, clinic: TestClinic) -> None:
        await in_care(clinic)
        await summary(clinic, by="coordinator", since="2026-03-01")
        await clinic.as_("psychologist").get(_PATH)
        wanted = "SELECT client, action, outcome, patient_id, site FROM audit_event ORDER BY recorded, id"
        async with clinic.databases["careteam"].transaction() as tx:
            rows = [tuple(row) for row in (await sql(tx, wanted)).all()]
        assert rows[-2:] == [
            ("coordinator", "read", "0", "patient-1", "toronto"),
            ("psychologist", "read", "4", None, "toronto"),
        ]


class TestBadQuestions:
    async def test_what_is_no_moment_or_no_parameter_is_refused(self, clinic: TestClinic) -> None:
        await in_care(clinic)
        for query, status in (
            ("since=yesterday", 422),
            ("since=ge2026-03-01", 422),
            ("since=", 422),
            ("since=2026-13-01", 422),
            ("since=2026-03-01&since=2026-03-02", 400),
            ("limit=3", 400),
        ):
            answer = await clinic.as_("physiatrist").get(f"{_PATH}?{query}")
            assert answer.status_code == status, (query, answer.text)
            assert answer.json()["issue"][0]["expression"] == [query.partition("=")[0]], query

    async def test_is_defined_and_listed_and_no_action_of_anything(self, clinic: TestClinic) -> None:
        await in_care(clinic)
        reader = clinic.as_("physiatrist")
        definition = (await reader.get(f"{BASE}/OperationDefinition/Patient-summary")).json()
        assert (definition["code"], definition["affectsState"]) == ("summary", False)
        statement = (await reader.get(f"{BASE}/metadata")).json()
        of_patient = next(one for one in statement["rest"][0]["resource"] if one["type"] == "Patient")
        assert [one["name"] for one in of_patient["operation"]] == ["summary"]
        actions = await reader.get(f"{BASE}/Patient/patient-1/$available-actions")
        assert actions.status_code == 404
