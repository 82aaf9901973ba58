"""Absences by HTTP: one that was entered by mistake is taken back by DELETE, as by PUT."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.scheduling.test_calendar import calendar
from tests.integration.scheduling.test_calendar import of as day_of
from tests.support.clinic import TestClinic

SLOT = "/scheduling/fhir/Slot"
WEDNESDAY = "2026-03-04"


@pytest_asyncio.fixture
async def clinic() -> AsyncIterator[TestClinic]:
    async with TestClinic(services=("scheduling",)) as running:
        await running.settle()
        yield running


async def away(clinic: TestClinic, whose: str = "physiotherapist") -> dict[str, Any]:
    slot = {
        "resourceType": "Slot",
        "schedule": {"reference": f"Schedule/{whose}"},
        "status": "busy-unavailable",
        "start": f"{WEDNESDAY}T00:00:00-05:00",
        "end": "2026-03-05T00:00:00-05:00",
        "comment": "Ill.",
    }
    answer = await clinic.as_("coordinator").post(SLOT, json=slot)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def delete(clinic: TestClinic, id: str, who: str = "coordinator", version: int | None = 1) -> Any:
    headers = {} if version is None else {"If-Match": f'W/"{version}"'}
    return await clinic.as_(who).delete(f"{SLOT}/{id}", headers=headers)


async def is_away(clinic: TestClinic) -> bool:
    day = day_of((await calendar(clinic))["people"], "physiotherapist", WEDNESDAY)
    return bool(day["absences"])


class TestTakingBack:
    async def test_by_delete_is_the_same_act_and_keeps_the_history(self, clinic: TestClinic) -> None:
        slot = await away(clinic)
        assert await is_away(clinic)
        answer = await delete(clinic, slot["id"])
        assert (answer.status_code, answer.json()["status"]) == (200, "entered-in-error"), answer.text
        assert answer.headers["ETag"] == 'W/"2"'
        assert not await is_away(clinic)
        read = await clinic.as_("coordinator").get(f"{SLOT}/{slot['id']}")
        assert (read.status_code, read.json()) == (200, answer.json())
        versions = (await clinic.as_("coordinator").get(f"{SLOT}/{slot['id']}/_history")).json()["entry"]
        assert [one["resource"]["status"] for one in versions] == ["entered-in-error", "busy-unavailable"]
        assert versions[0]["resource"]["comment"] == "Ill."

    async def test_opens_a_closed_day_of_the_site_again(self, clinic: TestClinic) -> None:
        slot = await away(clinic, "toronto")
        closed = day_of((await calendar(clinic))["people"], "physiotherapist", WEDNESDAY)
        assert closed["hours"] == []
        assert (await delete(clinic, slot["id"])).status_code == 200
        assert day_of((await calendar(clinic))["people"], "physiotherapist", WEDNESDAY)["hours"]

    async def test_twice_changes_nothing_more(self, clinic: TestClinic) -> None:
        slot = await away(clinic)
        await delete(clinic, slot["id"])
        again = await delete(clinic, slot["id"], version=2)
        assert (again.status_code, again.headers["ETag"]) == (200, 'W/"2"')

    async def test_says_which_version_it_takes_back(self, clinic: TestClinic) -> None:
        slot = await away(clinic)
        silent = await delete(clinic, slot["id"], version=None)
        assert "If-Match" in silent.text
        stale = await delete(clinic, slot["id"], version=7)
        assert (silent.status_code, stale.status_code) == (422, 412)
        assert await is_away(clinic)

    @pytest.mark.parametrize("who", ["physiotherapist", "family-practice", "workplace-insurer", "operator"])
    async def test_is_the_coordinators(self, clinic: TestClinic, who: str) -> None:
        slot = await away(clinic)
        assert (await delete(clinic, slot["id"], who)).status_code == 403
        assert await is_away(clinic)

    @pytest.mark.parametrize(
        "id", ["physiotherapist.20260304T130000Z", "0198c0de-0000-7000-8000-000000000000"]
    )
    async def test_finds_no_free_time_and_nobody_elses(self, clinic: TestClinic, id: str) -> None:
        assert (await delete(clinic, id)).status_code == 404

    async def test_is_audited_as_a_deletion(self, clinic: TestClinic) -> None:
        slot = await away(clinic)
        await delete(clinic, slot["id"])
        async with clinic.databases["scheduling"].transaction() as tx:
            found = await tx.records(
                "SELECT action FROM audit_event WHERE what LIKE $1 ORDER BY recorded, id",
                f"Slot/{slot['id']}%",
            )
        assert [one["action"] for one in found][-1] == "delete"

    async def test_is_said_of_the_server(self, clinic: TestClinic) -> None:
        said = (await clinic.as_("coordinator").get("/scheduling/fhir/metadata")).json()
        [slot] = [one for one in said["rest"][0]["resource"] if one["type"] == "Slot"]
        assert "delete" in {one["code"] for one in slot["interaction"]}
