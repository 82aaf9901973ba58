"""`GET /referral/worklist`: each party's work comes and goes with what ends it, the most urgent first."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.referral.models.questions import EMERGENCY_FLAGS
from tests.integration.referral.doors import located, operate, send, work_of
from tests.support import referrals
from tests.support.clinic import TestClinic
from tests.support.sql import sql

WORKLIST = "/referral/worklist"
LEAD = "physiotherapist"


async def work(clinic: TestClinic, query: str = "", *, who: str = "coordinator") -> dict[str, Any]:
    answer = await clinic.as_(who).get(f"{WORKLIST}{query}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def kinds(clinic: TestClinic, who: str = "coordinator") -> list[tuple[str, str]]:
    return [(row["kind"], row["urgency"]) for row in (await work(clinic, who=who))["rows"]]


def acts(row: dict[str, Any]) -> list[str]:
    return [act["name"] for act in row["actions"]]


async def refer(clinic: TestClinic, **bundle: Any) -> str:
    return located(await send(clinic, referrals.bundle(**bundle)))


async def complete(clinic: TestClinic, code: str) -> None:
    [task] = await work_of(clinic, "coordinator", f"code={code}&status=requested")
    answer = await clinic.as_("coordinator").put(
        f"/referral/fhir/Task/{task['id']}",
        json=task | {"status": "completed"},
        headers={"If-Match": f'W/"{task["meta"]["versionId"]}"'},
    )
    assert answer.status_code == 200, answer.text


class TestAReview:
    async def test_is_the_clinicians_while_it_is_urgent_until_decided(self, clinic: TestClinic) -> None:
        referral = await refer(clinic, answers={"infection-signs": "Y"})
        [mine] = (await work(clinic, who=LEAD))["rows"]
        assert (mine["kind"], mine["urgency"], mine["referral"]) == ("review-referral", "turn", referral)
        assert acts(mine) == ["accept", "request-information", "decline"]
        assert await kinds(clinic, "psychologist") == []
        [seen] = (await work(clinic))["rows"]
        assert acts(seen) == ["request-information"], "an urgent one is the clinician's to decide"
        assert mine["patient"]["name"]
        assert [rule["coding"][0]["code"] for rule in mine["rules"]]
        await operate(clinic, LEAD, referral, "decline", reason="Not for us.")
        assert await kinds(clinic) == []
        assert await kinds(clinic, LEAD) == []

    async def test_is_overdue_when_nobody_decides_in_time(self, clinic: TestClinic) -> None:
        await refer(clinic, answers={"infection-signs": "Y"})
        [row] = (await work(clinic))["rows"]
        await clinic.at(clinic.clock.now() + timedelta(hours=5))
        late = await kinds(clinic)
        assert sorted(late) == [("review-referral", "stop"), ("telephone-clinician", "stop")]
        assert row["due"] is not None


class TestWhatIsAsked:
    async def test_waits_for_its_sender_until_answered(self, clinic: TestClinic) -> None:
        referral = await refer(clinic, answers={"onset-date": None})
        [waits] = (await work(clinic))["rows"]
        assert (waits["kind"], waits["urgency"]) == ("waits-for-sender", "waiting")
        assert (acts(waits), waits["state"]) == (["remind", "close"], "information-requested")
        [mine] = (await work(clinic, who="family-practice"))["rows"]
        assert (mine["kind"], mine["urgency"], mine["referral"]) == (
            "information-requested",
            "turn",
            referral,
        )
        assert acts(mine) == ["provide-information", "revoke"]
        assert mine["reason"]["coding"]
        assert await kinds(clinic, "second-practice") == []
        await operate(clinic, "family-practice", referral, "revoke", reason="Not any more.")
        assert await kinds(clinic) == []
        assert await kinds(clinic, "family-practice") == []

    async def test_is_overdue_after_the_days_of_the_clinic(self, clinic: TestClinic) -> None:
        await refer(clinic, answers={"onset-date": None})
        await clinic.at(clinic.clock.now() + timedelta(days=clinic.clinic.waiting.information_days))
        assert await kinds(clinic) == [("waits-for-sender", "stop"), ("overdue-referral", "risk")]


class TestAnEmergency:
    async def test_stands_first_until_acknowledged_and_telephoned(self, clinic: TestClinic) -> None:
        await refer(clinic, answers={"onset-date": None})
        referral = await refer(clinic, answers={next(iter(EMERGENCY_FLAGS)): "Y"})
        assert (await kinds(clinic))[0] == ("waits-for-sender", "stop")
        [first, *_] = (await work(clinic, who="family-practice"))["rows"]
        assert (first["kind"], acts(first)) == ("acknowledge-emergency", ["acknowledge"])
        await clinic.at(clinic.clock.now() + timedelta(minutes=16))
        assert ("telephone-referrer", "stop") in await kinds(clinic)
        await operate(clinic, "family-practice", referral, "acknowledge")
        assert {kind for kind, _ in await kinds(clinic, "family-practice")} == {"information-requested"}


class TestAConversation:
    async def test_is_on_the_list_of_who_has_to_answer(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        await operate(clinic, "family-practice", referral, "send-communication", text="When is the visit?")
        [row] = (await work(clinic))["rows"]
        assert (row["kind"], acts(row)) == ("answer-referrer", ["send-communication", "complete"])
        await complete(clinic, "answer-referrer")
        assert await kinds(clinic) == []
        await operate(clinic, "coordinator", referral, "send-communication", text="Which knee?")
        [asked] = (await work(clinic, who="family-practice"))["rows"]
        assert (asked["kind"], acts(asked)) == ("answer-clinic", ["send-communication"])


class TestAnAuthorization:
    async def test_is_the_insurers_without_a_name_and_no_other_insurers(self, clinic: TestClinic) -> None:
        await refer(clinic, payer="workplace-insurer")
        [row] = (await work(clinic, who="workplace-insurer"))["rows"]
        assert (row["kind"], row["urgency"], acts(row)) == ("decide-authorization", "turn", ["answer"])
        assert (row["patient"]["name"], row["rules"], row["referral"]) == (None, [], None)
        assert await kinds(clinic, "motor-insurer") == []
        async with clinic.databases["referral"].transaction() as tx:
            await sql(tx, "UPDATE claim SET consented = false")
        assert await kinds(clinic, "workplace-insurer") == []


class TestAPage:
    async def test_is_followed_by_the_rest_while_rows_come_and_go(self, clinic: TestClinic) -> None:
        for _ in range(5):
            await refer(clinic, answers={"infection-signs": "Y"})
        whole = await work(clinic)
        assert (whole["total"], whole["counts"]["review-referral"]) == (5, 5)
        seen = [row["id"] for row in whole["rows"]]
        page = await work(clinic, "?_count=2&kind=review-referral")
        async with clinic.databases["referral"].transaction() as tx:
            await sql(tx, "UPDATE task SET status = 'completed' WHERE id = :id", id=UUID(seen[1]))
        found = [row["id"] for row in page["rows"]]
        while page["next"] is not None:
            page = await work(clinic, f"?_count=2&kind=review-referral&_after={page['next']}")
            found += [row["id"] for row in page["rows"]]
        assert found == seen

    async def test_has_nothing_of_another_site(self, clinic: TestClinic) -> None:
        await refer(clinic, answers={"infection-signs": "Y"})
        await refer(clinic, answers={"onset-date": None})
        async with clinic.databases["referral"].transaction() as tx:
            await sql(tx, "UPDATE task SET site = 'elsewhere'")
            await sql(tx, "UPDATE referral SET site = 'elsewhere'")
        assert (await work(clinic))["total"] == 0

    @pytest.mark.parametrize(
        ("query", "place"),
        [
            ("kind=decide-authorization", "kind"),
            ("_after=x", "_after"),
            ("a=b", "a"),
            ("kind=merge-duplicate&kind=another-time", "kind"),
        ],
    )
    async def test_that_is_asked_for_wrongly_is_refused_with_the_place(
        self, clinic: TestClinic, query: str, place: str
    ) -> None:
        answer = await clinic.as_("coordinator").get(f"{WORKLIST}?{query}")
        assert answer.status_code in (400, 422), answer.text
        assert answer.json()["issue"][0]["expression"] == [place]

    async def test_is_nothing_for_an_operator(self, clinic: TestClinic) -> None:
        assert (await clinic.as_("operator").get(WORKLIST)).status_code == 403
