"""The guarantee: at risk before it breaks, broken at its end, met in time; and two clocks."""

from datetime import date, timedelta

from shared.db import Database
from tests.support.booking import MONDAY, Desk, a_clinic, a_person, local

ONE_TIME = a_clinic(people=[a_person("ana", days=["tue"], start="09:00", end="10:00", purpose=["first"])])
REASONS = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"


def cancelled(code: str) -> dict[str, object]:
    return {"status": "cancelled", "cancelationReason": {"coding": [{"system": REASONS, "code": code}]}}


class TestAtRisk:
    async def test_is_told_at_once_when_no_time_fits(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, ONE_TIME)
        await desk.accept(due_on=date(2026, 6, 5))
        await desk.accept(due_on=date(2026, 6, 5))
        assert (await desk.told())[1:] == ["waitlist.joined", "guarantee.at-risk"]

    async def test_is_told_once(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, ONE_TIME)
        await desk.accept(due_on=date(2026, 6, 8))
        await desk.accept(due_on=date(2026, 6, 8))
        await desk.at(local(date(2026, 6, 8), "12:00"))
        assert (await desk.told()).count("guarantee.at-risk") == 1


class TestAtTheEnd:
    async def test_the_guarantee_breaks_and_the_earliest_time_at_all_is_taken(
        self, scheduling_db: Database
    ) -> None:
        desk = Desk(scheduling_db, ONE_TIME)
        holder = await desk.accept(due_on=date(2026, 6, 5))
        waits = await desk.accept(due_on=date(2026, 6, 5))
        await desk.at(local(date(2026, 6, 2), "10:00"))
        await desk.put(await desk.first(holder), status="fulfilled")
        await desk.at(local(date(2026, 6, 6), "00:00"))
        assert (await desk.guarantee(waits)).status == "breached"
        assert (await desk.first(waits)).starts_at == local(date(2026, 6, 9), "09:00")
        assert (await desk.told())[-3:] == ["guarantee.breached", "waitlist.left", "appointment.booked"]

    async def test_a_visit_that_nobody_recorded_yet_does_not_break_it(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, ONE_TIME)
        referral = await desk.accept(due_on=date(2026, 6, 2))
        await desk.at(local(date(2026, 6, 5), "09:00"))
        assert (await desk.guarantee(referral)).status == "on-track"
        await desk.put(await desk.first(referral), status="fulfilled")
        assert (await desk.guarantee(referral)).status == "met"

    async def test_missed_after_the_end_breaks_it(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, ONE_TIME)
        referral = await desk.accept(due_on=date(2026, 6, 2))
        await desk.at(local(date(2026, 6, 5), "09:00"))
        await desk.put(await desk.first(referral), status="noshow")
        told = await desk.told()
        assert told[-3:] == ["appointment.missed", "guarantee.breached", "appointment.booked"]


class TestBothClocks:
    async def test_a_missed_visit_counts_only_on_the_raw_clock(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, ONE_TIME)
        referral = await desk.accept()
        await desk.at(local(date(2026, 6, 2), "10:00"))
        await desk.put(await desk.first(referral), status="noshow")
        assert (await desk.first(referral)).starts_at == local(date(2026, 6, 9), "09:00")
        assert (await desk.told())[-2:] == ["appointment.missed", "appointment.booked"]
        guarantee = await desk.guarantee(referral)
        assert (guarantee.raw_days, guarantee.adjusted_days) == (8, 1)
        assert guarantee.due_at == local(date(2026, 6, 30), "00:00")

    async def test_what_the_patient_calls_off_counts_as_the_patients_delay(
        self, scheduling_db: Database
    ) -> None:
        desk = Desk(scheduling_db, a_clinic())
        referral = await desk.accept(sent_at=MONDAY - timedelta(days=3))
        row = await desk.put(await desk.first(referral), **cancelled("pat"))
        assert row.status == "cancelled"
        assert (await desk.first(referral)).status == "booked"
        guarantee = await desk.guarantee(referral)
        assert (guarantee.raw_days, guarantee.adjusted_days) == (4, 4)

    async def test_days_on_which_the_patient_is_away_count_once(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, ONE_TIME)
        away = [
            {"start": "2026-06-01", "end": "2026-06-03"},
            {"start": "2026-06-02", "end": "2026-06-04"},
        ]
        referral = await desk.accept(unavailable=away)
        guarantee = await desk.guarantee(referral)
        assert (guarantee.raw_days, guarantee.adjusted_days) == (8, 4)
