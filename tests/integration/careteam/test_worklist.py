"""`GET /careteam/worklist`: actions, cases and drafts come and go with what ends them."""

from datetime import datetime, timedelta
from typing import Any

from tests.integration.careteam.care import (
    FIVE,
    active_plan,
    asking,
    case_of,
    chair,
    deciding,
    later,
    one,
    open_with,
    put,
    seen,
    with_a_case,
)
from tests.support.clinic import TestClinic
from tests.support.sql import sql

WORKLIST = "/careteam/worklist"


async def work(clinic: TestClinic, query: str = "", *, who: str = "coordinator") -> dict[str, Any]:
    answer = await clinic.as_(who).get(f"{WORKLIST}{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def rows(clinic: TestClinic, kind: str, *, who: str = "coordinator") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await work(clinic, f"?kind={kind}", who=who))["rows"]
    return found


def acts(row: dict[str, Any]) -> list[str]:
    return [act["name"] for act in row["actions"]]


async def with_actions(clinic: TestClinic) -> None:
    """Decide a case: two actions, of which the psychologist's is due first."""
    case = await with_a_case(clinic)
    meeting = await open_with(clinic, *FIVE)
    asked = [
        asking("physiotherapist", "Second", later(clinic, days=9)),
        asking("psychologist", "First", later(clinic, days=2)),
    ]
    decided = await chair(clinic, meeting, "decide", *deciding(case, "Go on", *asked))
    assert decided.status_code == 200, decided.text


class TestADraft:
    async def test_is_on_the_teams_list_until_it_is_activated(self, clinic: TestClinic) -> None:
        assert (await work(clinic, who="physiatrist"))["rows"] == []
        await seen(clinic)
        plan = await one(clinic, "CarePlan")
        [row] = await rows(clinic, "plan", who="physiatrist")
        assert (row["id"], row["resource"]) == (plan["id"], f"CarePlan/{plan['id']}")
        assert (row["state"], row["urgency"], row["due"]) == ("draft", "turn", None)
        assert (row["referral"], row["programme"]) == ("r1", "chronic-pain")
        assert row["reason"]["coding"][0]["code"] == "to-activate-plan"
        assert row["owner"] == plan["author"]
        assert [(act["name"], act["of"], act["id"]) for act in row["actions"]] == [
            ("activate", "CarePlan", plan["id"])
        ]
        await active_plan(clinic)
        assert await rows(clinic, "plan", who="physiatrist") == []

    async def test_is_shown_to_the_coordinator_without_an_act(self, clinic: TestClinic) -> None:
        await seen(clinic)
        [row] = await rows(clinic, "plan")
        assert row["actions"] == []


class TestAnAction:
    async def test_is_its_owners_and_the_coordinator_sees_all(self, clinic: TestClinic) -> None:
        await with_actions(clinic)
        [mine] = await rows(clinic, "action", who="psychologist")
        assert (mine["reason"]["text"], mine["state"], mine["urgency"]) == ("First", "requested", "turn")
        assert acts(mine) == ["accept", "start", "complete", "reject"]
        assert await rows(clinic, "action", who="physiatrist") == []
        both = await rows(clinic, "action")
        assert [row["reason"]["text"] for row in both] == ["First", "Second"]
        assert [acts(row) for row in both] == [[], []]

    async def test_names_whom_it_is_about_and_when_it_is_due(self, clinic: TestClinic) -> None:
        await with_actions(clinic)
        [row] = await rows(clinic, "action", who="psychologist")
        task = await one(clinic, f"Task?_id={row['id']}")
        assert row["due"] == task["restriction"]["period"]["end"]
        assert row["since"] == task["authoredOn"]
        assert row["patient"]["id"] == "patient-1"
        assert row["focus"].startswith(("CareTeam/", "CarePlan/"))

    async def test_is_urgent_once_overdue_and_gone_once_done(self, clinic: TestClinic) -> None:
        await with_actions(clinic)
        [row] = await rows(clinic, "action", who="psychologist")
        await clinic.at(datetime.fromisoformat(row["due"]) + timedelta(minutes=1))
        [late] = await rows(clinic, "action", who="psychologist")
        assert late["urgency"] == "stop"
        task = await one(clinic, f"Task?_id={row['id']}", by="psychologist")
        done = await put(clinic, task | {"status": "completed"}, by="psychologist")
        assert done.status_code == 200, done.text
        assert await rows(clinic, "action", who="psychologist") == []


class TestACase:
    async def test_waits_on_the_list_of_its_team_until_it_is_decided(self, clinic: TestClinic) -> None:
        case = await with_a_case(clinic)
        [row] = await rows(clinic, "case", who="psychologist")
        assert (row["id"], row["urgency"], row["actions"]) == (case["id"], "waiting", [])
        assert row["reason"]["coding"][0]["code"] == "first-plan-review"
        meeting = await open_with(clinic, *FIVE)
        [row] = await rows(clinic, "case", who="psychologist")
        assert row["state"] == "on-agenda"
        await chair(clinic, meeting, "decide", *deciding(await case_of(clinic), "Go on"))
        assert await rows(clinic, "case", who="psychologist") == []

    async def test_of_another_team_is_shown_to_the_chair_without_a_name(self, clinic: TestClinic) -> None:
        await with_a_case(clinic)
        await say_who(clinic)
        [row] = await rows(clinic, "case", who="physiatrist")
        assert row["patient"] == {"id": "patient-1", "name": "Tanabe, Yuki", "birth_date": "1980-05-17"}
        team = await one(clinic, "CareTeam")
        leaves = "Practitioner/physiatrist"
        stay = [who for who in team["participant"] if who["member"]["reference"] != leaves]
        assert (await put(clinic, team | {"participant": stay}, by="coordinator")).status_code == 200
        [row] = await rows(clinic, "case", who="physiatrist")
        assert row["patient"] == {"id": "patient-1", "name": None, "birth_date": None}


class TestTheList:
    async def test_has_the_most_urgent_first_in_stable_pages(self, clinic: TestClinic) -> None:
        await with_actions(clinic)
        await seen(clinic, "r2", patient="patient-2")
        whole = await work(clinic)
        assert whole["counts"] == {"action": 2, "case": 0, "plan": 1}
        assert [row["kind"] for row in whole["rows"]] == ["action", "action", "plan"]
        paged, query = [], "?_count=1"
        while True:
            page = await work(clinic, query)
            paged += page["rows"]
            assert page["total"] == 3
            if page["next"] is None:
                break
            query = f"?_count=1&_after={page['next']}"
        assert paged == whole["rows"]

    async def test_is_nobody_elses(self, clinic: TestClinic) -> None:
        await with_a_case(clinic)
        for stranger in ("family-practice", "workplace-insurer", "operator"):
            assert (await clinic.as_(stranger).get(WORKLIST)).status_code == 403, stranger
        assert (await work(clinic, who="physiotherapist-2"))["total"] == 0

    async def test_refuses_what_it_is_not_asked_by(self, clinic: TestClinic) -> None:
        for query, expression in (
            ("?kind=waitlist", "kind"),
            ("?owner=me", "owner"),
            ("?kind=case&kind=plan", "kind"),
            ("?kind=", None),
        ):
            answer = await clinic.as_("physiatrist").get(f"{WORKLIST}{query}")
            assert answer.status_code == (200 if expression is None else 400), query
            if expression is not None:
                assert answer.json()["issue"][0]["expression"] == [expression]
        unknown = await clinic.as_("physiatrist").get(f"{WORKLIST}?kind=review")
        assert "action, case, plan" in unknown.text

    async def test_is_audited_as_about_everybody_on_the_page(self, clinic: TestClinic) -> None:
        await seen(clinic)
        await work(clinic)
        wanted = "SELECT client, patient_id FROM audit_event ORDER BY recorded DESC, id DESC LIMIT 1"
        async with clinic.databases["careteam"].transaction() as tx:
            assert tuple((await sql(tx, wanted)).all()[0]) == ("coordinator", "patient-1")


async def say_who(clinic: TestClinic) -> None:
    """Let the service know the name of the patient."""
    person = '{"family": "Tanabe", "given": "Yuki", "birth_date": "1980-05-17"}'
    async with clinic.databases["careteam"].transaction() as tx:
        await tx.run("UPDATE team SET person = $1::text::jsonb", person)
