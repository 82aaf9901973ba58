"""What is booked is held against hours, absences, rooms and closed days; a Task names what no longer fits."""

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec
import pytest

from services.scheduling import handlers, use_cases
from services.scheduling.models.rows import ReplanTask
from services.scheduling.rules.conflicts import TaskEnded
from services.scheduling.use_cases.replan import KeptByTheVisit
from shared.clinic import Clinic
from shared.db import Database
from shared.errors import Invalid, NotFound, Refusal
from shared.fhir.codes import TASK_INPUT_SYSTEM
from tests.support.booking import COORDINATOR, Desk, a_clinic, a_person, local

TUESDAY, WEDNESDAY, FRIDAY = date(2026, 6, 2), date(2026, 6, 3), date(2026, 6, 5)
ANA, BEN = a_person("ana"), a_person("ben")
AWAY = a_person("ana", absences=[(TUESDAY, TUESDAY)])
CANCELLATION = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"


@pytest.fixture
def desk(scheduling_db: Database) -> Desk:
    return Desk(scheduling_db, a_clinic())


async def start(desk: Desk, clinic: Clinic) -> None:
    """Start the worker where the roster is that of another description of the clinic."""
    desk.clinic = clinic
    async with desk.database.transaction() as tx:
        await tx.run("DELETE FROM roster")
        await tx.run("DELETE FROM unavailable_time")
        await handlers.on_start(desk.ctx(), tx)
    await desk.settle()


async def tasks(desk: Desk) -> list[ReplanTask]:
    async with desk.database.transaction() as tx:
        return await tx.rows(ReplanTask, "SELECT * FROM replan_task ORDER BY opened_at, id")


async def named(desk: Desk) -> dict[str, list[str]]:
    """Give the visits of the newest Task, each with the codes of why it does not fit."""
    body = msgspec.json.decode((await tasks(desk))[-1].body)
    return {
        given["valueReference"]["reference"].partition("/")[2]: [
            coding["code"] for coding in given["extension"][0]["valueCodeableConcept"]["coding"]
        ]
        for given in body["input"]
        if given["type"]["coding"][0] == {"system": TASK_INPUT_SYSTEM, "code": "visit"}
    }


async def end(desk: Desk, **changes: Any) -> ReplanTask:
    """Complete the newest Task as the coordinator does by PUT."""
    task = (await tasks(desk))[-1]
    sent: Mapping[str, Any] = msgspec.json.decode(task.body) | {"status": "completed"} | changes
    async with desk.database.transaction() as tx:
        ctx = desk.ctx(principal=COORDINATOR)
        return await use_cases.replan.complete(ctx, tx, str(task.id), sent=sent, expect=lambda _: None)


WHYS = {
    "an absence": (a_clinic(people=[AWAY]), ["person-absent"]),
    "a closed day": (a_clinic(closed=[TUESDAY]), ["site-closed"]),
    "a person who left": (a_clinic(people=[BEN]), ["person-left"]),
    "a later opening": (a_clinic(people=[a_person("ana", start="09:30")]), ["no-hours"]),
    "an earlier closing": (a_clinic(people=[a_person("ana", end="09:30")]), ["no-hours"]),
    "another weekday": (a_clinic(people=[a_person("ana", days=["wed"])]), ["no-hours"]),
    "another purpose": (a_clinic(people=[a_person("ana", purpose=["session"])]), ["no-hours"]),
}


class TestWhatNoLongerFits:
    @pytest.mark.parametrize("why", WHYS)
    async def test_is_named_in_a_task_and_not_moved(self, desk: Desk, why: str) -> None:
        row = await desk.first(await desk.accept())
        clinic, codes = WHYS[why]
        await start(desk, clinic)
        assert await named(desk) == {str(row.id): codes}
        after = await desk.first(str(row.referral_id))
        assert (after.version, after.starts_at) == (row.version, row.starts_at)
        (task,) = await tasks(desk)
        body = msgspec.json.decode(task.body)
        assert (body["status"], body["owner"]["reference"]) == ("requested", "Organization/clinic")
        assert body["code"]["coding"][0]["code"] == "replan-visits"
        assert "for" not in body
        (found,) = await desk.carried("calendar.conflicts-found")
        assert (found.patient_id, found.focus["id"]) == (None, str(task.id))
        assert row.patient_id not in task.body.decode()

    async def test_is_a_visit_in_a_room_that_is_gone(self, scheduling_db: Database) -> None:
        two = [ANA, BEN]
        desk = Desk(scheduling_db, a_clinic(people=two))
        rows = [await desk.first(await desk.accept()) for _ in range(2)]
        await start(desk, a_clinic(people=two, rooms=1))
        gone = [row for row in rows if row.room == "assessment-2"]
        assert await named(desk) == {str(row.id): ["room-gone"] for row in gone}

    async def test_is_a_session_too_and_each_visit_is_named_once(self, desk: Desk) -> None:
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral)
        visits = [await desk.first(referral), *await desk.sessions(referral)]
        await start(desk, a_clinic(people=[BEN]))
        assert set(await named(desk)) == {str(row.id) for row in visits}
        assert len(await tasks(desk)) == 1

    async def test_is_nothing_where_everything_fits(self, desk: Desk) -> None:
        await desk.accept()
        await start(desk, a_clinic(people=[ANA, a_person("ben", absences=[(TUESDAY, TUESDAY)])]))
        assert await tasks(desk) == []
        told = [name for name in await desk.told() if name not in ("directory.changed", "roster.changed")]
        assert told == ["appointment.booked"]

    async def test_is_no_visit_that_is_over_or_called_off(self, desk: Desk) -> None:
        await desk.accept()
        referral = await desk.accept()
        await desk.end(referral)
        await desk.at(local(TUESDAY, "09:10"))
        await start(desk, a_clinic(people=[BEN]))
        assert await tasks(desk) == []


class TestARestart:
    async def test_with_the_same_description_opens_nothing_new(self, desk: Desk) -> None:
        await desk.accept()
        for _ in range(3):
            await start(desk, a_clinic(people=[AWAY]))
        (task,) = await tasks(desk)
        assert task.version == 1
        assert (await desk.told()).count("calendar.conflicts-found") == 1

    async def test_of_two_workers_at_once_opens_one_task(self, desk: Desk) -> None:
        await desk.accept()
        desk.clinic = a_clinic(people=[AWAY])

        async def begin() -> None:
            async with desk.database.transaction() as tx:
                await use_cases.replan.at_every_site(desk.ctx(), tx)

        await asyncio.gather(*(begin() for _ in range(6)))
        assert len(await tasks(desk)) == 1

    async def test_with_more_that_does_not_fit_adds_it_to_the_open_task(self, desk: Desk) -> None:
        row = await desk.first(await desk.accept())
        other = await desk.first(await desk.accept())
        await desk.put(other, start=local(FRIDAY, "09:00").isoformat(), end=None)
        await start(desk, a_clinic(people=[AWAY]))
        assert set(await named(desk)) == {str(row.id)}
        await start(desk, a_clinic(people=[a_person("ana", absences=[(TUESDAY, FRIDAY)])]))
        assert set(await named(desk)) == {str(row.id), str(other.id)}
        assert (len(await tasks(desk)), (await desk.told()).count("calendar.conflicts-found")) == (1, 2)

    async def test_with_the_old_description_completes_the_task(self, desk: Desk) -> None:
        await desk.accept()
        await start(desk, a_clinic(people=[AWAY]))
        await start(desk, a_clinic())
        (task,) = await tasks(desk)
        assert (task.status, [reason.code for reason in task.ended_because]) == (
            "completed",
            ["nothing-left"],
        )
        assert (await desk.told())[-1] == "calendar.conflicts-resolved"
        await start(desk, a_clinic(people=[AWAY]))
        assert [task.status for task in await tasks(desk)] == ["completed", "requested"]


class TestTheTask:
    async def opened(self, desk: Desk, *, visits: int = 1) -> list[str]:
        referrals = [await desk.accept() for _ in range(visits)]
        await start(desk, a_clinic(people=[AWAY]))
        return referrals

    async def test_loses_a_visit_that_was_moved(self, desk: Desk) -> None:
        moves, stays = await self.opened(desk, visits=2)
        await desk.put(await desk.first(moves), start=local(FRIDAY, "09:00").isoformat(), end=None)
        assert set(await named(desk)) == {str((await desk.first(stays)).id)}
        assert (await tasks(desk))[0].status == "requested"

    async def test_completes_itself_when_the_last_visit_is_called_off(self, desk: Desk) -> None:
        [referral] = await self.opened(desk)
        why = {"coding": [{"system": CANCELLATION, "code": "prov"}]}
        await desk.put(await desk.first(referral), status="cancelled", cancelationReason=why)
        (task,) = await tasks(desk)
        assert (task.status, task.visits) == ("completed", [])
        assert (await desk.first(referral)).starts_at != local(TUESDAY, "09:00")

    async def test_completes_itself_when_its_referral_ends(self, desk: Desk) -> None:
        [referral] = await self.opened(desk)
        await desk.end(referral)
        assert (await tasks(desk))[0].status == "completed"

    async def test_loses_a_visit_that_begins(self, desk: Desk) -> None:
        await self.opened(desk)
        await desk.at(local(TUESDAY, "09:00"))
        assert (await tasks(desk))[0].status == "completed"

    async def test_is_completed_by_hand_with_why_and_not_opened_again(self, desk: Desk) -> None:
        await self.opened(desk)
        await end(desk, statusReason={"text": "Ana comes in for it."})
        (task,) = await tasks(desk)
        assert task.status == "completed"
        assert msgspec.json.decode(task.body)["statusReason"]["text"] == "Ana comes in for it."
        assert (await desk.told())[-1] == "calendar.conflicts-resolved"
        await start(desk, a_clinic(people=[AWAY]))
        assert len(await tasks(desk)) == 1
        await start(desk, a_clinic(closed=[TUESDAY]))
        assert [task.status for task in await tasks(desk)] == ["completed", "requested"]

    @pytest.mark.parametrize("changes", [
        {"statusReason": {}}, {"statusReason": {"text": " "}}, {}, {"id": "another"},
        {"status": "cancelled", "statusReason": {"text": "x"}},
    ])  # fmt: skip
    async def test_is_not_completed_without_why(self, desk: Desk, changes: Mapping[str, Any]) -> None:
        await self.opened(desk)
        before = (await tasks(desk))[0].body
        with pytest.raises(Invalid):
            await end(desk, **changes)
        assert (await tasks(desk))[0].body == before

    async def test_that_has_ended_is_not_completed_for_another_reason(self, desk: Desk) -> None:
        await self.opened(desk)
        ended = await end(desk, statusReason={"text": "Ana comes in for it."})
        assert (await end(desk)).version == ended.version
        with pytest.raises(TaskEnded):
            await end(desk, statusReason={"text": "Twice."})

    async def test_of_a_guarantee_is_not_completed_by_hand(self, desk: Desk) -> None:
        referral = await desk.accept()
        guarantee = await desk.guarantee(referral)
        assert await refusal(desk, str(guarantee.id)) is KeptByTheVisit

    @pytest.mark.parametrize("wanted", ["nonsense", "019a0000-0000-7000-8000-000000000000"])
    async def test_that_is_none_is_not_found(self, desk: Desk, wanted: str) -> None:
        assert await refusal(desk, wanted) is NotFound


async def refusal(desk: Desk, task_id: str) -> type[Refusal]:
    """Give how the completion of a Task is refused."""
    sent = {"id": task_id, "status": "completed", "statusReason": {"text": "x"}}
    ctx = desk.ctx(principal=COORDINATOR)
    async with desk.database.transaction() as tx:
        with pytest.raises(Refusal) as refused:
            await use_cases.replan.complete(ctx, tx, task_id, sent=sent, expect=lambda _: None)
    return type(refused.value)
