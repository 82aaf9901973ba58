"""What follows where a visit is not recorded, or a patient does not come: who is asked to do something."""

from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from services.scheduling import use_cases
from services.scheduling.models.rows import Appointment, VisitTask
from services.scheduling.rules.conflicts import TaskEnded
from shared.db import Database
from shared.errors import Invalid
from tests.integration.scheduling.test_doors import clinic, first_of, put, refer
from tests.support.booking import COORDINATOR, Desk, a_clinic, local
from tests.support.clinic import TestClinic

__all__ = ["clinic"]

TUESDAY, WEDNESDAY = date(2026, 6, 2), date(2026, 6, 3)
CODES = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
CALLED_OFF = {"status": "cancelled", "cancelationReason": {"coding": [{"system": CODES, "code": "pat"}]}}


@pytest.fixture
def desk(scheduling_db: Database) -> Desk:
    return Desk(scheduling_db, a_clinic(payer_asks=False))


async def tasks(desk: Desk, code: str) -> list[VisitTask]:
    """Read the Tasks of a kind, the oldest first."""
    async with desk.database.transaction() as tx:
        return await tx.rows(VisitTask, "SELECT * FROM visit_task WHERE code = $1 ORDER BY id", code)


async def end_by_hand(desk: Desk, task: VisitTask, words: str | None) -> VisitTask | None:
    """Complete a Task as the coordinator does."""
    sent = msgspec.json.decode(task.body) | {"status": "completed"}
    sent["statusReason"] = {"text": words} if words else {}
    async with desk.database.transaction() as tx:
        ctx = desk.ctx(principal=COORDINATOR)
        return await use_cases.recall.complete(ctx, tx, str(task.id), sent=sent, expect=lambda _: None)


async def miss(desk: Desk, referral: str) -> Appointment:
    """Let the patient miss the first visit that stands."""
    row = await desk.first(referral)
    assert row.starts_at is not None
    await desk.at(max(row.starts_at + timedelta(minutes=20), desk.now))
    return await desk.put(row, status="noshow")


class TestAVisitThatNobodyRecorded:
    async def test_is_asked_for_the_next_morning_once_until_it_is_recorded(self, desk: Desk) -> None:
        await desk.start()
        referral = await desk.accept()
        row = await desk.first(referral)
        await desk.at(local(TUESDAY, "23:00"))
        assert await tasks(desk, "record-visit") == []
        await desk.at(local(WEDNESDAY, "07:00"))
        [task] = await tasks(desk, "record-visit")
        assert (task.appointment_id, task.owner, task.status) == (row.id, row.practitioner, "requested")
        assert task.due_at == local(date(2026, 6, 4), "00:00")
        told = msgspec.json.decode(task.body)
        assert told["owner"]["reference"].endswith(f"Practitioner/{row.practitioner}")
        assert told["statusReason"]["coding"][0]["code"] == "visit-unrecorded"
        await desk.at(local(date(2026, 6, 4), "07:01"))
        assert len(await tasks(desk, "record-visit")) == 1
        await desk.put(row, status="fulfilled")
        [task] = await tasks(desk, "record-visit")
        assert (task.status, task.ended_because[0].code) == ("completed", "visit-recorded")

    @pytest.mark.parametrize("how", ["called off", "moved", "ended"])
    async def test_is_not_asked_for_any_more_where_it_does_not_stand(self, desk: Desk, how: str) -> None:
        await desk.start()
        referral = await desk.accept()
        await desk.at(local(WEDNESDAY, "08:00"))
        row = await desk.first(referral)
        if how == "called off":
            await desk.put(row, **CALLED_OFF)
        elif how == "moved":
            await desk.put(row, start=local(date(2026, 6, 5), "09:00").isoformat(), end=None)
        else:
            await desk.end(referral)
        [task] = await tasks(desk, "record-visit")
        assert (task.status, task.ended_because[0].code) == ("cancelled", "nothing-to-record")

    async def test_is_asked_for_again_where_it_was_recorded_by_mistake(self, desk: Desk) -> None:
        await desk.start()
        await desk.accept()
        [row] = [await desk.first(await desk.accept())]
        await desk.at(local(TUESDAY, "18:00"))
        done = await desk.put(row, status="fulfilled")
        await desk.correct(done, "booked")
        await desk.at(local(WEDNESDAY, "07:00"))
        assert row.id in {task.appointment_id for task in await tasks(desk, "record-visit")}

    async def test_is_recorded_and_never_ended_by_hand(self, desk: Desk) -> None:
        await desk.start()
        await desk.accept()
        await desk.at(local(WEDNESDAY, "07:00"))
        [task] = await tasks(desk, "record-visit")
        with pytest.raises(TaskEnded, match="This Task ends when the visit is recorded"):
            await end_by_hand(desk, task, "Nobody knows.")
        assert await tasks(desk, "record-visit") == [task]


class TestAPatientWhoMissedTwoVisits:
    async def twice(self, desk: Desk) -> tuple[str, Appointment]:
        referral = await desk.accept()
        await miss(desk, referral)
        assert await tasks(desk, "recall") == []
        return referral, await miss(desk, referral)

    async def test_is_to_be_called_by_the_coordinator(self, desk: Desk) -> None:
        referral, row = await self.twice(desk)
        [task] = await tasks(desk, "recall")
        assert (str(task.referral_id), task.appointment_id, task.status) == (referral, row.id, "requested")
        told = msgspec.json.decode(task.body)
        assert told["owner"]["reference"].endswith("Organization/clinic")
        assert told["statusReason"]["coding"][0]["code"] == "missed-twice"

    async def test_is_asked_for_once_however_often_it_is_recorded(self, desk: Desk) -> None:
        referral, row = await self.twice(desk)
        await desk.put(row, status="noshow")
        await miss(desk, referral)
        assert len(await tasks(desk, "recall")) == 1

    async def test_is_called_no_more_once_a_visit_was_booked_with_them(self, desk: Desk) -> None:
        referral, _ = await self.twice(desk)
        again = await desk.first(referral)
        await desk.put(again, start=local(date(2026, 6, 10), "14:00").isoformat(), end=None)
        [task] = await tasks(desk, "recall")
        assert (task.status, task.ended_because[0].code) == ("cancelled", "booked-after-all")

    async def test_is_called_no_more_once_they_come(self, desk: Desk) -> None:
        referral, _ = await self.twice(desk)
        again = await desk.first(referral)
        assert again.starts_at is not None
        await desk.at(again.starts_at)
        await desk.put(again, status="checked-in")
        [task] = await tasks(desk, "recall")
        assert (task.status, task.ended_because[0].code) == ("cancelled", "patient-came")

    @pytest.mark.parametrize("how", ["referral.revoked", "referral.closed", "patient.discharged"])
    async def test_is_called_no_more_after_the_end_of_the_referral(self, desk: Desk, how: str) -> None:
        referral, _ = await self.twice(desk)
        await desk.end(referral, how)
        [task] = await tasks(desk, "recall")
        assert (task.status, len(task.ended_because)) == ("cancelled", 1)

    async def test_is_called_no_more_where_a_miss_was_none(self, desk: Desk) -> None:
        _, row = await self.twice(desk)
        await desk.correct(row, "booked")
        [task] = await tasks(desk, "recall")
        assert (task.status, task.ended_because[0].code) == ("cancelled", "no-two-missed")

    async def test_is_called_where_a_visit_was_missed_after_all(self, desk: Desk) -> None:
        referral = await desk.accept()
        await miss(desk, referral)
        row = await desk.first(referral)
        assert row.starts_at is not None
        await desk.at(row.starts_at)
        done = await desk.put(row, status="fulfilled")
        await desk.correct(done, "noshow")
        assert [task.status for task in await tasks(desk, "recall")] == ["requested"]

    async def test_was_reached_as_the_coordinator_says_and_is_called_again_after_another_miss(
        self, desk: Desk
    ) -> None:
        referral, _ = await self.twice(desk)
        [task] = await tasks(desk, "recall")
        with pytest.raises(Invalid, match="says what came of the call"):
            await end_by_hand(desk, task, None)
        done = await end_by_hand(desk, task, "Comes on Friday.")
        assert done is not None
        assert (done.status, done.ended_because[0].text) == ("completed", "Comes on Friday.")
        with pytest.raises(TaskEnded):
            await end_by_hand(desk, done, "Once more.")
        await miss(desk, referral)
        assert [one.status for one in await tasks(desk, "recall")] == ["completed", "requested"]

    async def test_is_none_who_had_come_in_between_and_left_without_being_seen(self, desk: Desk) -> None:
        referral = await desk.accept()
        await miss(desk, referral)
        row = await desk.first(referral)
        assert row.starts_at is not None
        await desk.at(row.starts_at)
        came = await desk.put(row, status="arrived")
        async with desk.database.transaction() as tx:
            ctx = desk.ctx(principal=COORDINATOR)
            await use_cases.leave_unseen.run(ctx, tx, str(came.id), cache=desk.cache, expect=lambda _: None)
        await desk.settle()
        await miss(desk, referral)
        assert await tasks(desk, "recall") == []


class TestTheDoors:
    async def missed(self, clinic: TestClinic) -> str:
        referral = await refer(clinic)
        for _ in range(2):
            first = await first_of(clinic, referral)
            starts = datetime.fromisoformat(first["start"])
            await clinic.days((starts - clinic.clock.now()).total_seconds() / 86400 + 0.02)
            gone = await put(clinic, "coordinator", first | {"status": "noshow"})
            assert gone.status_code == 200, gone.text
            await clinic.settle()
        return referral

    async def test_the_coordinator_has_the_call_on_the_worklist_and_says_what_came_of_it(
        self, clinic: TestClinic
    ) -> None:
        referral = await self.missed(clinic)
        client = clinic.as_("coordinator")
        body = (await client.get("/scheduling/worklist?kind=recall")).json()
        [row] = body["rows"]
        assert (row["referral"], [act["name"] for act in row["actions"]]) == (referral, ["call"])
        address = f"/scheduling/fhir/{row['resource']}"
        task: dict[str, Any] = (await client.get(address)).json()
        sent = task | {"status": "completed", "statusReason": {"text": "Reached, comes on Monday."}}
        match = {"If-Match": f'W/"{task["meta"]["versionId"]}"'}
        assert (await clinic.as_("physiotherapist").put(address, json=sent, headers=match)).status_code == 403
        done = await client.put(address, json=sent, headers=match)
        assert done.status_code == 200, done.text
        assert (await client.put(address, json=sent, headers=match)).status_code == 412
        assert (await client.get("/scheduling/worklist?kind=recall")).json()["rows"] == []

    async def test_nobody_else_reads_such_a_task(self, clinic: TestClinic) -> None:
        await self.missed(clinic)
        found = (await clinic.as_("coordinator").get("/scheduling/fhir/Task?code=recall")).json()
        [entry] = found["entry"]
        address = f"/scheduling/fhir/Task/{entry['resource']['id']}"
        assert (await clinic.as_("second-practice").get(address)).status_code == 404
        assert (await clinic.as_("psychologist").get(address)).status_code == 404


class TestTheDayOfTheDesk:
    async def test_says_what_may_be_recorded_of_each_visit_now(self, clinic: TestClinic) -> None:
        first = await first_of(clinic, await refer(clinic))
        day = first["start"][:10]

        async def acts() -> tuple[str, list[str]]:
            body = (await clinic.as_("coordinator").get(f"/scheduling/desk?day={day}")).json()
            [visit] = body["visits"]
            return visit["status"], [act["name"] for act in visit["actions"]]

        assert await acts() == ("booked", [])
        await clinic.at(datetime.fromisoformat(first["start"]))
        assert await acts() == ("booked", ["arrive", "check-in", "fulfil", "miss"])
        assert (await put(clinic, "coordinator", first | {"status": "arrived"})).status_code == 200
        assert await acts() == ("arrived", ["check-in", "fulfil", "leave-unseen", "correct-status"])
        address = f"/scheduling/fhir/Appointment/{first['id']}/$leave-unseen"
        gone = await clinic.as_("coordinator").post(address, json={"resourceType": "Parameters"})
        assert gone.status_code == 200, gone.text
        assert await acts() == ("cancelled", ["correct-status"])

    async def test_is_the_coordinators_and_a_day(self, clinic: TestClinic) -> None:
        assert (await clinic.as_("physiotherapist").get("/scheduling/desk")).status_code == 403
        assert (await clinic.as_("coordinator").get("/scheduling/desk?day=tomorrow")).status_code == 400
