"""`$available-actions` of an appointment: what may be done now, which is what a PUT then says."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from services.scheduling.states import AppointmentStatus
from tests.integration.scheduling.test_doors import APPOINTMENT, PAT, clinic, first_of, put, refer
from tests.support.actions import Action, drifting, offered
from tests.support.clinic import TestClinic
from tests.support.sql import sql

__all__ = ["clinic"]

_OTHERS = "DELETE FROM appointment WHERE id <> :id"
_GIVEN_BACK = "DELETE FROM occupancy"
_IN_STATE = """
UPDATE appointment SET status = :status, reason_code = 'prov', starts_at = :start, ends_at = :end,
  held_until = NULL
WHERE id = :id
"""
_HELD = """
UPDATE appointment SET status = 'pending', starts_at = :start, ends_at = :end, held_by = 'coordinator',
  held_until = :until
WHERE id = :id
"""
_WAITING = """
UPDATE appointment SET status = 'waitlist', starts_at = NULL, ends_at = NULL, practitioner = NULL, room = NULL
WHERE id = :id
"""


async def bring(clinic: TestClinic, visit: dict[str, Any], status: AppointmentStatus) -> None:
    """Bring the only appointment into a status, with the time that it had."""
    async with clinic.databases["scheduling"].transaction() as tx:
        await sql(tx, _GIVEN_BACK)
        await sql(tx, "DELETE FROM telling_task")
        await sql(tx, _OTHERS, id=visit["id"])
        if status is AppointmentStatus.WAITLIST:
            await sql(tx, _WAITING, id=visit["id"])
        elif status is AppointmentStatus.PENDING:
            time = {name: datetime.fromisoformat(visit[name]) for name in ("start", "end")}
            until = clinic.clock.now() + timedelta(minutes=10)
            await sql(tx, _HELD, id=visit["id"], until=until, **time)
        else:
            time = {name: datetime.fromisoformat(visit[name]) for name in ("start", "end")}
            await sql(tx, _IN_STATE, id=visit["id"], status=str(status), **time)


def wanted(visit: dict[str, Any], action: Action, *, status: AppointmentStatus) -> dict[str, Any]:
    """Write what an action asks for into an appointment that has this status."""
    later = datetime.fromisoformat(visit["start"]) + timedelta(weeks=1)
    changes = {"status": action.allowed.get("status", [str(status)])[0]}
    if "start" in action.allowed:
        minutes = timedelta(minutes=visit["minutesDuration"])
        changes |= {"start": later.isoformat(), "end": (later + minutes).isoformat()}
    if "cancelationReason" in action.allowed:
        changes |= {"cancelationReason": {"coding": [{"system": PAT, "code": "prov"}]}}
    if status is AppointmentStatus.WAITLIST and "start" not in action.allowed:
        changes |= {"start": None, "end": None}
    return {name: value for name, value in (visit | changes).items() if value is not None}


class TestAnAppointment:
    @pytest.mark.parametrize("status", AppointmentStatus)
    @pytest.mark.parametrize("days", [0, 2], ids=["before its day", "after it"])
    async def test_is_offered_just_what_is_not_refused_for_its_state(
        self, clinic: TestClinic, status: AppointmentStatus, days: int
    ) -> None:
        visit = await first_of(clinic, await refer(clinic))
        await clinic.days(days)
        address = f"{APPOINTMENT}/{visit['id']}"

        async def reset() -> None:
            await bring(clinic, visit, status)

        async def call(action: Action) -> httpx.Response:
            if action.parts["kind"] == "operation":
                given = [
                    {"name": "status", "valueCode": "booked"},
                    {"name": "reason", "valueString": "A slip."},
                ]
                said = [one for one in given if one["name"] in action.allowed]
                asked = {"resourceType": "Parameters"} | ({"parameter": said} if said else {})
                return await clinic.as_("coordinator").post(action.address, json=asked)
            now = (await clinic.as_("coordinator").get(address)).json()
            body = wanted(visit, action, status=status)
            answer: httpx.Response = await put(clinic, "coordinator", body, now["meta"]["versionId"])
            return answer

        assert await drifting(clinic, "coordinator", address, state=status, reset=reset, call=call) == []

    async def test_is_moved_and_called_off_before_its_day_and_nothing_is_recorded_yet(
        self, clinic: TestClinic
    ) -> None:
        visit = await first_of(clinic, await refer(clinic))
        actions = await offered(clinic, "coordinator", f"{APPOINTMENT}/{visit['id']}")
        assert [name for name, action in actions.items() if action.available] == ["move", "cancel"]
        assert actions["arrive"].parts["reason"]["coding"][0]["code"] == "too-early"
        assert actions["book"].parts["reason"]["coding"][0]["code"] == "not-on-the-waitlist"
        assert actions["miss"].allowed == {"status": ["noshow"]}

    async def test_that_was_missed_stays_so_where_the_patient_came_to_the_one_booked_instead(
        self, clinic: TestClinic
    ) -> None:
        referral = await refer(clinic)
        missed = await first_of(clinic, referral)
        await clinic.days(2)
        await put(clinic, "coordinator", missed | {"status": "noshow"}, missed["meta"]["versionId"])
        async with clinic.databases["scheduling"].transaction() as tx:
            await sql(tx, "UPDATE appointment SET status = 'fulfilled' WHERE id <> :id", id=missed["id"])
        address = f"{APPOINTMENT}/{missed['id']}"
        action = (await offered(clinic, "coordinator", address))["correct-status"]
        assert not action.available
        assert action.parts["reason"]["coding"][0]["code"] == "later-visit-took-place"
        for status in ("booked", "arrived", "fulfilled"):
            said = [{"name": "status", "valueCode": status}, {"name": "reason", "valueString": "A slip."}]
            body = {"resourceType": "Parameters", "parameter": said}
            answer = await clinic.as_("coordinator").post(action.address, json=body)
            assert answer.status_code == 409
            assert answer.json()["issue"][0]["details"] == action.parts["reason"]

    async def test_offers_its_referrer_nothing_and_others_do_not_find_it(self, clinic: TestClinic) -> None:
        address = f"{APPOINTMENT}/{(await first_of(clinic, await refer(clinic)))['id']}"
        assert await offered(clinic, "family-practice", address) == {}
        foreign = await clinic.as_("second-practice").get(f"{address}/$available-actions")
        assert foreign.status_code == 404
        nonsense = await clinic.as_("coordinator").get(f"{APPOINTMENT}/nonsense/$available-actions")
        assert nonsense.status_code == 404


class TestAGuarantee:
    async def test_offers_nobody_anything_and_strangers_do_not_find_it(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        found = await clinic.as_("coordinator").get(
            f"/scheduling/fhir/Task?focus=ServiceRequest/{referral}&code=guarantee"
        )
        address = f"/scheduling/fhir/Task/{found.json()['entry'][0]['resource']['id']}"
        for party in ("coordinator", "family-practice"):
            assert await offered(clinic, party, address) == {}
        for hidden in (address, "/scheduling/fhir/Task/nonsense"):
            answer = await clinic.as_("second-practice").get(f"{hidden}/$available-actions")
            assert answer.status_code == 404
