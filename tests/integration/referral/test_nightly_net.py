"""Below all clocks is a net: what waits and nobody owns; and how the look itself comes, fails and repeats."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from shared.clinic import load_clinic
from tests.integration.referral.doors import located, operate, send, work_of
from tests.integration.referral.nights import (
    EMERGENCY,
    OPEN,
    accepted_twice,
    change,
    heard,
    look,
    look_at,
    open_work,
    overdue_events,
    stopped,
    timers_of,
    told_codes,
)
from tests.integration.referral.test_following_care import accepted
from tests.support import referrals
from tests.support.clinic import EXAMPLE, TestClinic
from tests.support.eventually import eventually
from tests.support.sql import sql


class TestWhatNobodyOwns:
    """Nothing that the product does leads here; it is the net."""

    async def told_after_a_night(self, clinic: TestClinic) -> list[str]:
        await clinic.days(1)
        return await told_codes(clinic)

    @pytest.mark.parametrize("answer", [None, "UNK"], ids=["for its sender", "for a decision"])
    async def test_what_waits_without_its_clock_and_without_a_task_is_told(
        self, clinic: TestClinic, answer: str | None
    ) -> None:
        located(await send(clinic, referrals.bundle(answers={"night-pain": answer})))
        await change(clinic, "DELETE FROM timer WHERE kind = 'referral-waits-too-long'")
        await change(clinic, "UPDATE task SET status = 'cancelled' WHERE code = 'review-referral'")
        assert await self.told_after_a_night(clinic) == ["nobody-owns"]
        await clinic.days(3)
        assert await overdue_events(clinic) == 1

    async def test_a_suspected_duplicate_is_told_too(self, clinic: TestClinic) -> None:
        care = await accepted_twice(clinic)
        await change(clinic, "DELETE FROM timer WHERE kind = 'referral-waits-too-long'")
        await heard(care, "appointment.booked")
        assert await self.told_after_a_night(clinic) == [], "its Task says who decides"
        await change(clinic, "UPDATE task SET status = 'cancelled' WHERE code = 'merge-duplicate'")
        assert await self.told_after_a_night(clinic) == ["nobody-owns"]

    async def test_an_emergency_without_escalation_is_told_though_its_sender_has_a_task(
        self, clinic: TestClinic
    ) -> None:
        located(await send(clinic, referrals.bundle(answers=EMERGENCY)))
        await change(clinic, "DELETE FROM timer WHERE kind = 'emergency-escalation'")
        assert await self.told_after_a_night(clinic) == ["nobody-owns"]

    @pytest.mark.parametrize("state", ["closed", "declined", "discharged"])
    async def test_what_was_merged_into_one_that_has_ended_is_told(
        self, clinic: TestClinic, state: str
    ) -> None:
        care = await accepted_twice(clinic)
        [second] = await work_of(clinic, "coordinator", "code=merge-duplicate")
        merged = second["focus"]["reference"].removeprefix("ServiceRequest/")
        into = {"reference": f"ServiceRequest/{care.referral}"}
        answer = await operate(clinic, "coordinator", merged, "merge", into=into)
        assert answer.status_code == 200, answer.text
        await heard(care, "appointment.booked")
        assert await self.told_after_a_night(clinic) == []
        await change(
            clinic, "UPDATE referral SET state = :state WHERE id = :id", state=state, id=UUID(care.referral)
        )
        assert await self.told_after_a_night(clinic) == ["nobody-owns"]
        [work] = await open_work(clinic)
        assert work["focus"] == second["focus"]
        assert f"The referral into which it was merged is {state}." in work["statusReason"]["text"]

    async def test_what_was_never_triaged_is_told(self, clinic: TestClinic) -> None:
        await accepted(clinic)
        await change(clinic, "UPDATE referral SET state = 'awaiting-triage'")
        assert await self.told_after_a_night(clinic) == ["nobody-owns"]
        await clinic.days(3)
        assert await overdue_events(clinic) == 1, "the Task that tells it is nobody's work with it"

    async def test_a_booking_for_no_time_is_told(self, clinic: TestClinic) -> None:
        await accepted(clinic)
        await change(clinic, "UPDATE referral SET state = 'booked'")
        assert await self.told_after_a_night(clinic) == ["nobody-owns"]


class TestTheLook:
    async def test_comes_once_a_night_at_three_on_the_wall_also_where_the_clocks_change(
        self, clinic: TestClinic
    ) -> None:
        dues = []
        for _ in range(3):
            await clinic.at(datetime(2026, 3, 6 + len(dues), 12, tzinfo=UTC))
            [timer] = await timers_of(clinic, "nightly-look")
            dues.append(timer.due_at.isoformat())
        # On the 8th Toronto's clocks go from two to three.
        assert dues == ["2026-03-07T08:00:00+00:00", "2026-03-08T07:00:00+00:00", "2026-03-09T07:00:00+00:00"]

    async def test_stays_due_over_a_restart_and_is_made_up_for_where_the_night_was_missed(
        self, clinic: TestClinic
    ) -> None:
        [before] = await timers_of(clinic, "nightly-look")
        worker = clinic.workers["referral"]
        await worker.stop()
        clinic.clock.set(before.due_at + timedelta(hours=5))
        await worker.start()
        await clinic.settle()
        [after] = await timers_of(clinic, "nightly-look")
        assert after.due_at == clinic.clock.now() + timedelta(minutes=10), "not the next night only"

    async def test_that_fires_twice_tells_once(self, clinic: TestClinic) -> None:
        care = await accepted(clinic)
        await clinic.days(3)
        for _ in range(2):
            await look(clinic)
            await clinic.settle()
            await look_at(clinic, care.referral)
        assert await overdue_events(clinic) == 1
        assert len(await open_work(clinic)) == 1

    async def test_that_comes_long_after_it_was_due_waits_until_the_rest_is_heard(
        self, clinic: TestClinic
    ) -> None:
        await accepted(clinic)
        await clinic.settle()
        clinic.clock.set(clinic.clock.now() + timedelta(days=5))
        assert await overdue_events(clinic) == 0
        [timer] = await timers_of(clinic, "nightly-look")
        assert timer.due_at == clinic.clock.now() + timedelta(minutes=10)
        await clinic.at(clinic.clock.now() + timedelta(minutes=11))
        assert await overdue_events(clinic) == 1

    async def test_of_a_site_that_clinic_yaml_no_longer_has_ends(self, clinic: TestClinic) -> None:
        await change(
            clinic,
            "INSERT INTO timer (kind, ref, due_at) VALUES ('nightly-look', 'gone', :due)",
            due=clinic.clock.now(),
        )
        await clinic.days(1)
        assert [timer.ref for timer in await timers_of(clinic, "nightly-look")] == ["toronto"]

    async def test_says_numbers_and_nothing_else(self, clinic: TestClinic) -> None:
        await accepted(clinic)
        await stopped(clinic)
        clinic.clock.set(clinic.clock.now() + timedelta(days=3))
        with capture_logs() as lines:
            await look(clinic)
        assert [line for line in lines if line["event"] == "referral.nightly-look"] == [
            {
                "event": "referral.nightly-look",
                "log_level": "info",
                "site": "toronto",
                "overdue": 1,
                "to_do": 1,
            }
        ]


async def test_what_is_heard_between_the_look_and_the_lock_is_not_told_as_missing(clinic: TestClinic) -> None:
    care = await accepted(clinic)
    await stopped(clinic)
    clinic.clock.set(clinic.clock.now() + timedelta(days=3))
    await look(clinic)
    assert [timer.ref for timer in await timers_of(clinic, "nightly-look-at-one")] == [care.referral]
    async with clinic.databases["referral"].transaction() as tx:
        await sql(tx, "SELECT FROM referral WHERE id = :id FOR UPDATE", id=UUID(care.referral))
        waits = asyncio.create_task(look_at(clinic, care.referral))
        await eventually(lambda: somebody_waits(clinic))
        await sql(tx, "UPDATE referral SET state = 'waitlisted' WHERE id = :id", id=UUID(care.referral))
    await waits
    assert await open_work(clinic) == []


async def somebody_waits(clinic: TestClinic) -> bool:
    """Tell whether somebody waits for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    waiting += " AND datname = current_database()"
    async with clinic.databases["referral"].transaction() as tx:
        return bool((await sql(tx, waiting)).scalar())


async def test_another_site_s_referrals_are_not_touched() -> None:
    described = load_clinic(EXAMPLE)
    ottawa = described.sites[0].model_copy(update={"id": "ottawa", "name": "Harbour Spine Ottawa"})
    desk = next(one for one in described.clients if one.party == "coordinator")
    changes = {
        "sites": (*described.sites, ottawa),
        "clients": (*described.clients, desk.model_copy(update={"id": "ottawa-desk", "site": "ottawa"})),
    }
    async with TestClinic(services=("referral",), clinic=described.model_copy(update=changes)) as clinic:
        care = await accepted(clinic)
        await stopped(clinic)
        assert [timer.ref for timer in await timers_of(clinic, "nightly-look")] == ["ottawa", "toronto"]
        clinic.clock.set(clinic.clock.now() + timedelta(days=3))
        await look(clinic, "ottawa")
        assert await timers_of(clinic, "nightly-look-at-one") == []
        await look(clinic, "toronto")
        await look_at(clinic, care.referral)
        assert len(await open_work(clinic)) == 1
        assert await work_of(clinic, "ottawa-desk", OPEN) == []
