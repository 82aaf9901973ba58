"""A patient who permits no message is told by a person of what nobody spoke about with them."""

from typing import Any

from tests.journeys.stage import play
from tests.support.clinic import TestClinic
from tests.support.patients import (
    CANCELLATION,
    booked,
    call_off,
    kept,
    move,
    put,
    refer,
    telephone_list,
    visit_now,
)
from tests.support.sql import sql


async def told_once(clinic: TestClinic) -> dict[str, Any]:
    """Refer a patient who permits nothing; give the first visit, of which a coordinator has told them."""
    await refer(clinic)
    visit = await booked(clinic)
    for task in await telephone_list(clinic):
        seen = {"If-Match": f'W/"{task["meta"]["versionId"]}"'}
        done = await clinic.as_("coordinator").put(
            f"/scheduling/fhir/Task/{task['id']}", json=task | {"status": "completed"}, headers=seen
        )
        assert done.status_code == 200, done.text
    assert await telephone_list(clinic) == []
    return visit


def codes(tasks: list[dict[str, Any]]) -> list[str]:
    return [task["statusReason"]["coding"][0]["code"] for task in tasks]


async def test_that_the_clinic_calls_a_visit_off() -> None:
    async with TestClinic() as clinic:
        visit = await told_once(clinic)
        await call_off(clinic, visit)
        tasks = [
            one
            for one in await telephone_list(clinic)
            if one["focus"]["reference"] == f"Appointment/{visit['id']}"
        ]
        assert codes(tasks) == ["cancellation-not-told"]
        [row] = [row for row in await kept(clinic, "notification") if row.channel == "telephone"]
        assert (row.status, row.reason["code"]) == ("not-done", "by-telephone")


async def test_but_not_that_they_called_it_off_themselves_nor_where_a_coordinator_moved_it() -> None:
    async with TestClinic() as clinic:
        visit = await move(clinic, await told_once(clinic))
        assert await telephone_list(clinic) == []
        reason = {"coding": [{"system": CANCELLATION, "code": "pat"}]}
        off = await put(clinic, visit | {"status": "cancelled", "cancelationReason": reason})
        assert off.status_code == 200, off.text
        await clinic.settle()
        assert (await visit_now(clinic, visit))["status"] == "cancelled"
        assert not [row for row in await kept(clinic, "notification") if row.channel == "telephone"]


async def test_that_a_series_is_booked_once_and_not_each_session() -> None:
    async with TestClinic() as clinic:
        await play(clinic, 4)
        async with clinic.databases["scheduling"].transaction() as tx:
            rows = await sql(tx, "SELECT because FROM telling_task WHERE because <> '[]'")
        said = [row.because[0]["code"] for row in rows]
        assert said.count("series-to-tell") == 1
        assert "visit-to-tell" not in said
