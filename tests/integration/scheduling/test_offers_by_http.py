"""The coordinator telephones about a freed time, and answers for the patient."""

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import uuid4

import pytest_asyncio

from shared.clinic import Offers
from tests.integration.scheduling.test_doors import first_of, put, refer
from tests.support.booking.offers import CALLED_OFF
from tests.support.clinic import TestClinic
from tests.support.context import earliest_clinic


@pytest_asyncio.fixture
async def clinic() -> AsyncIterator[TestClinic]:
    """Open the example as a clinic that gives the earliest time and offers what is freed."""
    usual = earliest_clinic()
    scheduling = usual.scheduling.model_copy(update={"offers": Offers()})
    made = usual.model_copy(update={"scheduling": scheduling})
    async with TestClinic(services=("scheduling",), clinic=made) as running:
        yield running


class TestTheDoors:
    async def test_the_coordinator_telephones_and_answers_for_the_patient(self, clinic: TestClinic) -> None:
        visits = [await first_of(clinic, await refer(clinic)) for _ in range(26)]
        await clinic.at(datetime.fromisoformat("2026-03-02T15:00:00Z"))
        assert (await put(clinic, "coordinator", visits[4] | CALLED_OFF)).status_code == 200
        await clinic.days(6 / 1440)
        client = clinic.as_("coordinator")
        rows = (await client.get("/scheduling/worklist?kind=offer")).json()["rows"]
        assert [act["name"] for act in rows[0]["actions"]] == ["accept-offer", "decline-offer"]
        assert rows[0]["reason"]["coding"][0]["code"] == "time-offered"
        address = f"/scheduling/fhir/{rows[0]['resource']}"
        empty = {"resourceType": "Parameters"}
        nobody = await clinic.as_("physiotherapist").post(f"{address}/$accept-offer", json=empty)
        assert nobody.status_code == 403
        stale = await client.post(f"{address}/$accept-offer", json=empty, headers={"If-Match": 'W/"9"'})
        assert stale.status_code == 412
        done = await client.post(f"{address}/$accept-offer", json=empty)
        assert (done.status_code, done.json()["status"]) == (200, "completed"), done.text
        task = done.json()
        moved = (await client.get(f"/scheduling/fhir/{task['focus']['reference']}")).json()
        [period] = [one["valuePeriod"] for one in task["input"] if "valuePeriod" in one]
        assert moved["start"] == period["start"]
        other = f"/scheduling/fhir/{rows[1]['resource']}/$accept-offer"
        late = await client.post(other, json=empty)
        assert (late.status_code, late.json()["issue"][0]["details"]["coding"][0]["code"]) == (
            409,
            "offer-taken",
        )
        found = (await client.get("/scheduling/fhir/Task?code=offer-time&status=completed")).json()
        assert [one["resource"]["id"] for one in found["entry"]] == [task["id"]]
        day = visits[4]["start"][:10]
        counted = (await client.get(f"/scheduling/attendance?from={day}&to={day}")).json()["freed_times"]
        assert (counted["offered"], counted["taken"]) == (1, 1)

    async def test_a_task_that_offers_nothing_takes_no_answer(self, clinic: TestClinic) -> None:
        await first_of(clinic, await refer(clinic))
        client, empty = clinic.as_("coordinator"), {"resourceType": "Parameters"}
        found = (await client.get("/scheduling/fhir/Task?code=guarantee")).json()
        guarantee = found["entry"][0]["resource"]["id"]
        for verb in ("accept", "decline"):
            answered = await client.post(f"/scheduling/fhir/Task/{guarantee}/${verb}-offer", json=empty)
            [issue] = answered.json()["issue"]
            assert (answered.status_code, issue["details"]["coding"][0]["code"]) == (409, "no-offer")
            unknown = await client.post(f"/scheduling/fhir/Task/{uuid4()}/${verb}-offer", json=empty)
            assert unknown.status_code == 404
