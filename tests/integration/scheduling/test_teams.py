"""A care team sees all visits of its patients; each member changes their own only."""

from collections.abc import AsyncIterator
from json import dumps, loads

import pytest_asyncio

from tests.integration.scheduling.test_doors import APPOINTMENT, first_of, put, refer, search
from tests.support.clinic import TestClinic

ON_TEAM = ("physiotherapist", "physiatrist")
NOT_ON_TEAM = ("psychologist", "physiotherapist-2")
REASON = "https://lumbar.care/fhir/CodeSystem/reason"


@pytest_asyncio.fixture
async def clinic() -> AsyncIterator[TestClinic]:
    async with TestClinic(services=("scheduling", "careteam")) as running:
        yield running


async def _visits(clinic: TestClinic, who: str) -> list[str]:
    return [visit["id"] for visit in await search(clinic, who, "Appointment?status=booked")]


class TestSeeing:
    async def test_a_team_sees_the_visits_and_the_guarantee_of_its_patient(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        first = await first_of(clinic, referral)
        for who in ON_TEAM:
            assert await _visits(clinic, who) == [first["id"]]
            (task,) = await search(clinic, who, f"Task?focus=ServiceRequest/{referral}&code=guarantee")
            assert task["businessStatus"]["coding"][0]["code"] == "on-track"

    async def test_nobody_else_sees_them(self, clinic: TestClinic) -> None:
        first = await first_of(clinic, await refer(clinic))
        for who in NOT_ON_TEAM:
            assert await _visits(clinic, who) == []
            for path in ("", "/_history", "/_history/1", "/$available-actions"):
                answer = await clinic.as_(who).get(f"{APPOINTMENT}/{first['id']}{path}")
                assert answer.status_code == 404

    async def test_who_leaves_the_team_sees_them_no_more_and_who_comes_does(self, clinic: TestClinic) -> None:
        first = await first_of(clinic, await refer(clinic))
        found = (await clinic.as_("coordinator").get("/careteam/fhir/CareTeam")).json()
        (team,) = [entry["resource"] for entry in found["entry"]]
        others = [one for one in team["participant"] if "physiatrist" not in one["member"]["reference"]]
        (physiotherapist,) = others
        newcomer = loads(dumps(physiotherapist).replace("physiotherapist", "psychologist"))
        newcomer = loads(dumps(newcomer).replace("physiotherapy", "psychology"))
        changed = await clinic.as_("coordinator").put(
            f"/careteam/fhir/CareTeam/{team['id']}",
            json=team | {"participant": [*others, newcomer]},
            headers={"If-Match": 'W/"1"'},
        )
        assert changed.status_code == 200, changed.text
        await clinic.settle()
        assert await _visits(clinic, "physiatrist") == []
        assert (
            await _visits(clinic, "psychologist") == await _visits(clinic, "physiotherapist") == [first["id"]]
        )

    async def test_a_team_that_was_formed_before_scheduling_kept_teams_is_read_again(
        self, clinic: TestClinic
    ) -> None:
        earlier = await first_of(clinic, await refer(clinic))
        formed = [event.id for event in await clinic.events("careteam.formed")]
        async with clinic.databases["scheduling"].transaction() as tx:
            await tx.run("UPDATE referral SET team = '{}'")
            await tx.run("DELETE FROM inbox WHERE event_id::text = ANY($1::text[])", formed)
            # What the migration does.
            await tx.run("UPDATE group_position SET next_offset = 0 WHERE topic LIKE '%lumbar.careteam'")
        assert await _visits(clinic, "physiatrist") == []
        later = await first_of(clinic, await refer(clinic))
        assert set(await _visits(clinic, "physiatrist")) == {earlier["id"], later["id"]}


class TestChanging:
    async def test_a_colleague_on_the_team_does_not_change_a_visit(self, clinic: TestClinic) -> None:
        first = await first_of(clinic, await refer(clinic))
        await clinic.days(2)
        later = {"start": "2026-03-20T14:00:00Z", "end": "2026-03-20T15:00:00Z"}
        for change in ({"status": "arrived"}, later):
            refused = await put(clinic, "physiatrist", first | change)
            assert refused.status_code == 403
            (coding,) = refused.json()["issue"][0]["details"]["coding"]
            assert (coding["system"], coding["code"]) == (REASON, "visit-of-another")
        unchanged = await clinic.as_("coordinator").get(f"{APPOINTMENT}/{first['id']}")
        assert unchanged.json() == first

    async def test_what_would_be_refused_is_not_offered(self, clinic: TestClinic) -> None:
        first = await first_of(clinic, await refer(clinic))
        path = f"{APPOINTMENT}/{first['id']}/$available-actions"
        colleague = (await clinic.as_("physiatrist").get(path)).text
        own = (await clinic.as_("physiotherapist").get(path)).text
        assert colleague.count('"visit-of-another"') == 7
        assert "visit-of-another" not in own
