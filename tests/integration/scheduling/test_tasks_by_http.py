"""The Task that names visits which no longer fit, and a correction, through their doors."""

from datetime import datetime
from typing import Any

import httpx
import pytest

from services.scheduling import use_cases
from tests.integration.scheduling.test_doors import APPOINTMENT, clinic, first_of, put, refer, search
from tests.support.actions import Action, drifting, offered
from tests.support.clinic import TestClinic
from tests.support.context import a_context
from tests.support.sql import sql

__all__ = ["clinic"]

TASK = "/scheduling/fhir/Task"
CODE = "https://lumbar.care/fhir/CodeSystem/task-code|replan-visits"


async def close_the_site(clinic: TestClinic, visit: dict[str, Any]) -> dict[str, Any]:
    """Hold what is booked against a description in which the day of a visit is closed; give the Task."""
    site = clinic.clinic.site("toronto")
    day = datetime.fromisoformat(visit["start"]).astimezone(site.zone).date()
    closed = site.model_copy(update={"closed": (*site.closed, day)})
    others = [other for other in clinic.clinic.sites if other.id != site.id]
    described = clinic.clinic.model_copy(update={"sites": (closed, *others)})
    ctx = a_context(at=clinic.clock.now(), clinic=described, service="scheduling")
    async with clinic.databases["scheduling"].transaction() as tx:
        await use_cases.replan.at_every_site(ctx, tx)
    [task] = await search(clinic, "coordinator", f"Task?code={CODE}")
    return task


async def complete(clinic: TestClinic, who: str, task: dict[str, Any], **changes: Any) -> httpx.Response:
    body = task | {"status": "completed", "statusReason": {"text": "A colleague stands in."}} | changes
    headers = {"If-Match": f'W/"{task["meta"]["versionId"]}"'}
    answer: httpx.Response = await clinic.as_(who).put(f"{TASK}/{task['id']}", json=body, headers=headers)
    return answer


class TestATaskThatNamesVisits:
    async def test_is_found_by_its_code_and_status_and_with_the_others(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        visit = await first_of(clinic, referral)
        task = await close_the_site(clinic, visit)
        assert [given["valueReference"]["reference"] for given in task["input"][1:]] == [
            f"Appointment/{visit['id']}"
        ]
        assert task["statusReason"]["coding"][0]["code"] == "site-closed"
        # Beside it the guarantee, and the call that tells the patient the day.
        assert len(await search(clinic, "coordinator", "Task")) == 3
        open_ones = await search(clinic, "coordinator", f"Task?status=requested&code={CODE}")
        assert [found["id"] for found in open_ones] == [task["id"]]
        assert await search(clinic, "coordinator", f"Task?code={CODE}&status=completed") == []
        assert [
            found["id"]
            for found in await search(
                clinic, "coordinator", f"Task?focus=ServiceRequest/{referral}&code=guarantee"
            )
        ] != [task["id"]]
        history = await clinic.as_("coordinator").get(f"{TASK}/{task['id']}/_history")
        assert history.json()["total"] == 1

    @pytest.mark.parametrize("who", ["family-practice", "physiotherapist", "operator", "workplace-insurer"])
    async def test_is_nobodys_but_its_sites_coordinators(self, clinic: TestClinic, who: str) -> None:
        task = await close_the_site(clinic, await first_of(clinic, await refer(clinic)))
        read = await clinic.as_(who).get(f"{TASK}/{task['id']}")
        assert read.status_code in (403, 404)
        assert (await complete(clinic, who, task)).status_code in (403, 404)
        found = await clinic.as_(who).get(f"{TASK}?code={CODE}")
        assert found.status_code == 403 or found.json()["total"] == 0

    async def test_is_completed_by_its_coordinator_with_why(self, clinic: TestClinic) -> None:
        task = await close_the_site(clinic, await first_of(clinic, await refer(clinic)))
        assert (await complete(clinic, "coordinator", task, statusReason={})).status_code == 422
        answer = await complete(clinic, "coordinator", task)
        assert (answer.status_code, answer.json()["status"]) == (200, "completed")
        assert answer.headers["ETag"] == 'W/"2"'
        history = await clinic.as_("coordinator").get(f"{TASK}/{task['id']}/_history")
        assert [entry["resource"]["status"] for entry in history.json()["entry"]] == [
            "completed",
            "requested",
        ]

    async def test_needs_the_version_that_was_read(self, clinic: TestClinic) -> None:
        task = await close_the_site(clinic, await first_of(clinic, await refer(clinic)))
        stale = task | {"meta": {"versionId": "7"}}
        assert (await complete(clinic, "coordinator", stale)).status_code == 412

    @pytest.mark.parametrize("status", ["requested", "completed"])
    async def test_offers_just_what_is_not_refused_for_its_state(
        self, clinic: TestClinic, status: str
    ) -> None:
        task = await close_the_site(clinic, await first_of(clinic, await refer(clinic)))
        address = f"{TASK}/{task['id']}"

        async def reset() -> None:
            async with clinic.databases["scheduling"].transaction() as tx:
                await sql(tx, "UPDATE replan_task SET status = :status", status=status)

        async def call(action: Action) -> httpx.Response:
            now = (await clinic.as_("coordinator").get(address)).json()
            return await complete(clinic, "coordinator", now, statusReason={"text": "Another."})

        assert await drifting(clinic, "coordinator", address, state=status, reset=reset, call=call) == []
        assert list(await offered(clinic, "coordinator", address)) == ["complete"]

    async def test_of_a_guarantee_cannot_be_completed(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        [guarantee] = await search(
            clinic, "coordinator", f"Task?focus=ServiceRequest/{referral}&code=guarantee"
        )
        answer = await complete(clinic, "coordinator", guarantee)
        assert answer.status_code == 409
        assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == "kept-by-the-visit"


class TestACorrection:
    async def asked(self, clinic: TestClinic, who: str, visit: dict[str, Any], status: str) -> httpx.Response:
        parameters = {
            "resourceType": "Parameters",
            "parameter": [
                {"name": "status", "valueCode": status},
                {"name": "reason", "valueString": "It was another patient."},
            ],
        }
        answer: httpx.Response = await clinic.as_(who).post(
            f"{APPOINTMENT}/{visit['id']}/$correct-status", json=parameters
        )
        return answer

    async def recorded(self, clinic: TestClinic) -> dict[str, Any]:
        visit = await first_of(clinic, await refer(clinic))
        await clinic.days(2)
        answer = await put(clinic, "coordinator", visit | {"status": "fulfilled"})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def test_is_a_coordinators_alone(self, clinic: TestClinic) -> None:
        visit = await self.recorded(clinic)
        for who in ("physiotherapist", "family-practice", "operator", "workplace-insurer"):
            assert (await self.asked(clinic, who, visit, "noshow")).status_code in (403, 404)
        answer = await self.asked(clinic, "coordinator", visit, "noshow")
        assert (answer.status_code, answer.json()["status"]) == (200, "noshow")

    async def test_says_what_it_takes_back_and_what_remains(self, clinic: TestClinic) -> None:
        visit = await self.recorded(clinic)
        answer = await self.asked(clinic, "coordinator", visit, "booked")
        [extension] = answer.json()["extension"]
        parts = [part["url"] for part in extension["extension"]]
        assert parts == ["was", "reason", "taken-back", "remains"]
        [guarantee] = await search(clinic, "coordinator", "Task?code=guarantee")
        assert guarantee["businessStatus"]["coding"][0]["code"] in ("on-track", "at-risk")

    async def test_is_refused_with_what_is_wrong(self, clinic: TestClinic) -> None:
        visit = await self.recorded(clinic)
        assert (await self.asked(clinic, "coordinator", visit, "cancelled")).status_code == 422
        booked = await first_of(clinic, await refer(clinic))
        answer = await self.asked(clinic, "coordinator", booked, "noshow")
        assert answer.status_code == 409
        assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == "nothing-recorded"
