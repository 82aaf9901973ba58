"""A coordinator corrects a status that was recorded by mistake; what followed from it is taken back."""

import asyncio
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import msgspec
import pytest

from services.scheduling import use_cases
from services.scheduling.models.rows import Appointment
from services.scheduling.rules.correction import CannotCorrect
from services.scheduling.use_cases.correct import NoReason
from shared.db import Database
from shared.errors import NotFound
from shared.fhir.codes import CORRECTION_EXTENSION
from tests.support.booking import COORDINATOR, Desk, a_clinic, a_person, local
from tests.support.history import versions_of
from tests.support.sql import sql

TUESDAY, WEDNESDAY = date(2026, 6, 2), date(2026, 6, 3)
CANCELLATION = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
CANCELLED = {
    "status": "cancelled",
    "cancelationReason": {"coding": [{"system": CANCELLATION, "code": "pat"}]},
}
STATUSES = {"noshow": {"status": "noshow"}, "cancelled": CANCELLED, "fulfilled": {"status": "fulfilled"}}


@pytest.fixture
def desk(scheduling_db: Database) -> Desk:
    return Desk(scheduling_db, a_clinic(payer_asks=False))


async def recorded(desk: Desk, status: str, *, at: datetime | None = None) -> tuple[str, Appointment]:
    """Record a status of a first visit by mistake."""
    referral = await desk.accept()
    await desk.at(at or local(TUESDAY, "09:10"))
    return referral, await desk.put(await desk.first(referral), **STATUSES[status])


async def state_of(desk: Desk, row: Appointment) -> Appointment:
    async with desk.database.transaction() as tx:
        found = await tx.row(Appointment, "SELECT * FROM appointment WHERE id = $1", row.id)
    assert found is not None
    return found


async def live(desk: Desk) -> int:
    async with desk.database.transaction() as tx:
        return int(await tx.value("SELECT count(*) FROM occupancy WHERE live"))


async def refused(desk: Desk, row: Appointment, status: str) -> CannotCorrect:
    """Try a correction, see that it is refused and that nothing was written."""
    before, told, taken = await state_of(desk, row), await desk.told(), await live(desk)
    with pytest.raises(CannotCorrect) as refusal:
        await desk.correct(row, status)
    assert (await state_of(desk, row)).body == before.body
    assert (await desk.told(), await live(desk)) == (told, taken)
    return refusal.value


def said(row: Appointment) -> dict[str, list[str]]:
    """Give the codes of each part of a correction."""
    (extension,) = msgspec.json.decode(row.body)["extension"]
    assert extension["url"] == CORRECTION_EXTENSION
    return {
        part["url"]: [coding["code"] for coding in part["valueCodeableConcept"]["coding"]]
        for part in extension["extension"]
        if "valueCodeableConcept" in part
    }


class TestAMissedVisitThatWasNone:
    @pytest.mark.parametrize("status", ["fulfilled", "checked-in", "arrived", "booked"])
    async def test_stands_again_and_what_was_booked_instead_is_called_off(
        self, desk: Desk, status: str
    ) -> None:
        referral, row = await recorded(desk, "noshow")
        instead = await desk.first(referral)
        assert instead.id != row.id
        row = await desk.correct(row, status)
        first, second = await desk.appointments(referral)
        assert (first.status, first.starts_at, first.practitioner) == (
            status,
            local(TUESDAY, "09:00"),
            "ana",
        )
        assert (second.status, second.reason_code) == ("cancelled", "oth-err")
        assert [reason.code for reason in second.reasons] == ["booked-for-a-mistake"]
        assert not second.patient_caused
        assert await live(desk) == (3 if status != "fulfilled" else 3 + 3 * 4)
        told = await desk.told()
        place = told.index("appointment.corrected")
        assert told[place - 1] == "appointment.cancelled"

    async def test_leaves_the_guarantee_met_and_the_clocks_without_the_patients_delay(
        self, desk: Desk
    ) -> None:
        referral, row = await recorded(desk, "noshow")
        row = await desk.correct(row, "fulfilled")
        guarantee = await desk.guarantee(referral)
        assert (guarantee.status, guarantee.raw_days, guarantee.adjusted_days) == ("met", 1, 1)
        assert "guarantee.met" in await desk.told()
        assert said(row)["taken-back"] == ["visit-instead-called-off", "guarantee-is-now"]

    async def test_takes_back_a_broken_guarantee(self, scheduling_db: Database) -> None:
        clinic = a_clinic(people=[a_person("ana", days=["tue"], start="09:00", end="10:00")])
        desk = Desk(scheduling_db, clinic)
        referral = await desk.accept(due_on=date(2026, 6, 5))
        await desk.at(local(TUESDAY, "09:30"))
        row = await desk.put(await desk.first(referral), status="noshow")
        await desk.at(local(date(2026, 6, 6), "09:00"))
        assert (await desk.guarantee(referral)).status == "breached"
        await desk.correct(row, "fulfilled")
        assert (await desk.guarantee(referral)).status == "met"
        assert (await desk.told())[-1] != "guarantee.breached"

    async def test_gives_up_the_place_on_the_waitlist(self, scheduling_db: Database) -> None:
        clinic = a_clinic(people=[a_person("ana", days=["tue"], start="09:00", end="10:00")])
        desk = Desk(scheduling_db, clinic)
        referral = await desk.accept(due_on=date(2026, 6, 5))
        await desk.at(local(TUESDAY, "09:30"))
        row = await desk.put(await desk.first(referral), status="noshow")
        assert (await desk.first(referral)).status == "waitlist"
        row = await desk.correct(row, "arrived")
        assert (await desk.first(referral)).status == "cancelled"
        assert "waitlist-place-given-up" in said(row)["taken-back"]
        assert "waitlist.left" in await desk.told()

    async def test_stays_missed_where_the_patient_came_to_the_visit_booked_instead(self, desk: Desk) -> None:
        referral, row = await recorded(desk, "noshow")
        instead = await desk.first(referral)
        assert instead.starts_at is not None
        await desk.at(instead.starts_at)
        await desk.put(instead, status="arrived")
        assert "2026-06-03 09:00" in str(await refused(desk, row, "fulfilled"))


class TestACancelledVisitThatWasNotCalledOff:
    async def test_is_booked_again_at_its_time(self, desk: Desk) -> None:
        referral, row = await recorded(desk, "cancelled", at=local(date(2026, 6, 1), "09:00"))
        row = await desk.correct(row, "booked")
        first, second = await desk.appointments(referral)
        assert (first.status, first.starts_at) == ("booked", local(TUESDAY, "09:00"))
        assert (first.reason_code, first.reasons, first.patient_caused) == (None, [], False)
        assert "cancelationReason" not in msgspec.json.decode(first.body)
        assert second.status == "cancelled"
        assert (await desk.guarantee(referral)).status == "on-track"

    async def test_was_never_given_up(self, desk: Desk) -> None:
        _, row = await recorded(desk, "cancelled", at=local(date(2026, 6, 1), "09:00"))
        await desk.correct(row, "booked")
        async with desk.database.transaction() as tx:
            assert await tx.value("SELECT count(*) FROM given_up_time") == 0

    async def test_is_refused_where_somebody_else_has_the_clinician_and_names_no_patient(
        self, scheduling_db: Database
    ) -> None:
        desk = Desk(scheduling_db, a_clinic())
        _, row = await recorded(desk, "cancelled", at=local(date(2026, 6, 1), "09:00"))
        other = await desk.first(await desk.accept())
        assert other.starts_at == row.starts_at
        text = str(await refused(desk, row, "booked"))
        assert text == "P. Ana has another appointment until 2026-06-02 10:00."
        assert other.patient_id not in text

    async def test_and_somebody_who_wants_its_time_at_this_moment_are_not_both_booked(
        self, scheduling_db: Database
    ) -> None:
        desk = Desk(scheduling_db, a_clinic())
        rows = [await desk.put(await desk.first(await desk.accept()), **CANCELLED) for _ in range(3)]
        starts = {row.starts_at for row in rows}
        tries = [desk.correct(row, "booked") for row in rows] + [desk.accept() for _ in range(3)]
        results = await asyncio.gather(*tries, return_exceptions=True)
        wrong = [result for result in results if isinstance(result, Exception)]
        assert all(isinstance(result, CannotCorrect) for result in wrong), wrong
        async with desk.database.transaction() as tx:
            booked = await tx.records(
                "SELECT starts_at, count(*) AS visits FROM appointment WHERE status = 'booked' GROUP BY 1"
            )
        assert starts
        assert {record["visits"] for record in booked} == {1}

    async def test_is_refused_where_somebody_else_has_the_room(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, a_clinic(people=[a_person("ana"), a_person("ben")], rooms=1))
        _, row = await recorded(desk, "cancelled", at=local(date(2026, 6, 1), "09:00"))
        other = await desk.first(await desk.accept())
        await desk.at(local(TUESDAY, "08:00"))
        if other.practitioner == row.practitioner:
            await sql_in(desk, "UPDATE occupancy SET live = false WHERE resource IN (SELECT number"
                " FROM resource WHERE id LIKE 'person/%')")  # fmt: skip
        assert str(await refused(desk, row, "booked")) == "assessment is taken until 2026-06-02 10:00."

    async def test_is_refused_where_the_patient_has_something_else_then(self, desk: Desk) -> None:
        patient = "019a0000-0000-7000-8000-000000000001"
        referral = await desk.accept(patient_id=patient)
        row = await desk.put(await desk.first(referral), **CANCELLED)
        other = await desk.first(await desk.accept(patient_id=patient))
        await desk.put(other, start=local(TUESDAY, "09:00").isoformat(), end=None)
        await sql_in(desk, "UPDATE occupancy SET live = false WHERE resource IN (SELECT number"
            " FROM resource WHERE id NOT LIKE 'patient/%')")  # fmt: skip
        assert "The patient has another appointment" in str(await refused(desk, row, "booked"))

    async def test_is_refused_where_the_clinician_is_away_by_now(self, desk: Desk) -> None:
        _, row = await recorded(desk, "cancelled", at=local(date(2026, 6, 1), "09:00"))
        desk.clinic = a_clinic(people=[a_person("ana", absences=[(TUESDAY, TUESDAY)])], payer_asks=False)
        assert "has no hours" in str(await refused(desk, row, "booked"))

    @pytest.mark.parametrize("status", ["arrived", "fulfilled", "noshow"])
    async def test_becomes_nothing_else_at_once(self, desk: Desk, status: str) -> None:
        _, row = await recorded(desk, "cancelled")
        text = str(await refused(desk, row, status))
        assert text.startswith("It is cancelled: that can be corrected to booked, not to ")

    async def test_stays_cancelled_after_the_end_of_its_referral(self, desk: Desk) -> None:
        referral = await desk.accept()
        row = await desk.first(referral)
        await desk.end(referral)
        assert str(await refused(desk, row, "booked")) == "The referral has ended."


class TestAVisitThatDidNotTakePlace:
    async def test_leaves_the_guarantee_open_with_its_timers(self, desk: Desk) -> None:
        referral, row = await recorded(desk, "fulfilled")
        assert (await desk.guarantee(referral)).status == "met"
        row = await desk.correct(row, "booked")
        assert (await desk.guarantee(referral)).status == "on-track"
        async with desk.database.transaction() as tx:
            kinds = await tx.records("SELECT kind FROM timer ORDER BY kind")
        assert [record["kind"] for record in kinds] == ["guarantee-at-risk", "guarantee-due"]
        assert "guarantee-is-now" in said(row)["taken-back"]
        (corrected,) = await desk.carried("appointment.corrected")
        (task,) = corrected.carried("Task")
        assert task["businessStatus"]["coding"][0]["code"] == "on-track"

    async def test_calls_off_the_sessions_that_followed_and_says_what_remains(self, desk: Desk) -> None:
        referral, row = await recorded(desk, "fulfilled")
        assert len(await desk.sessions(referral)) == 4
        row = await desk.correct(row, "booked")
        assert await desk.sessions(referral) == []
        assert "sessions-called-off" in said(row)["taken-back"]
        assert said(row)["remains"] == ["plan-stays-if-worked-on", "messages-were-sent"]
        assert "series.suspended" in await desk.told()

    async def test_is_missed_instead_and_booked_again(self, desk: Desk) -> None:
        referral, row = await recorded(desk, "fulfilled")
        await desk.correct(row, "noshow")
        first, second = await desk.appointments(referral)
        assert (first.status, second.status) == ("noshow", "booked")
        assert (await desk.guarantee(referral)).status == "on-track"
        told = await desk.told()
        assert told.index("appointment.corrected") < len(told) - 1 - told[::-1].index("appointment.booked")

    async def test_is_said_to_have_had_sessions_that_took_place(self, desk: Desk) -> None:
        referral, row = await recorded(desk, "fulfilled")
        session, *_ = await desk.sessions(referral)
        assert session.starts_at is not None
        await desk.at(session.starts_at)
        await desk.put(session, status="fulfilled")
        row = await desk.correct(row, "noshow")
        assert "sessions-held" in said(row)["remains"]

    async def test_after_the_end_of_the_referral_is_put_right_and_nothing_is_booked(self, desk: Desk) -> None:
        referral, row = await recorded(desk, "fulfilled")
        await desk.end(referral, "referral.closed")
        before = len(await desk.appointments(referral))
        await desk.correct(row, "noshow")
        assert (await state_of(desk, row)).status == "noshow"
        assert len(await desk.appointments(referral)) == before
        assert (await desk.guarantee(referral)).status == "ended"
        assert await live(desk) == 0


class TestAPatientWhoHadNotArrived:
    @pytest.mark.parametrize("status", ["booked", "noshow"])
    async def test_is_put_right(self, desk: Desk, status: str) -> None:
        referral = await desk.accept()
        await desk.at(local(TUESDAY, "09:10"))
        row = await desk.put(await desk.first(referral), status="arrived")
        await desk.correct(row, status)
        assert (await state_of(desk, row)).status == status


class TestASession:
    async def booked(self, desk: Desk) -> tuple[str, list[Appointment]]:
        referral, _ = await recorded(desk, "fulfilled")
        return referral, await desk.sessions(referral)

    async def test_takes_its_time_again(self, desk: Desk) -> None:
        _, (session, *_) = await self.booked(desk)
        await desk.put(session, **CANCELLED)
        row = await desk.correct(session, "booked")
        assert ((await state_of(desk, row)).status, row.starts_at) == ("booked", session.starts_at)

    async def test_that_a_payer_no_longer_grants_stays_cancelled(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, a_clinic())
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral, units=2)
        session, *_ = await desk.sessions(referral)
        await desk.put(session, **CANCELLED)
        await desk.authorize(referral, status="denied", units=None)
        assert "denied" in str(await refused(desk, session, "booked"))

    async def test_opens_its_series_again_and_counts_once_more(self, desk: Desk) -> None:
        referral, sessions = await self.booked(desk)
        for session in sessions:
            assert session.starts_at is not None
            await desk.at(session.starts_at)
            await desk.put(session, status="fulfilled")
        assert await series_of(desk, referral) == ("completed", 4)
        await desk.correct(sessions[-1], "noshow")
        assert (await series_of(desk, referral))[0] == "booked", "it is made up for"
        await desk.correct(sessions[-1], "booked")
        assert (await series_of(desk, referral))[0] == "booked"
        await desk.put(await state_of(desk, sessions[-1]), status="fulfilled")
        assert await series_of(desk, referral) == ("completed", 4)
        assert (await desk.told())[-1] == "series.completed"

    async def test_of_a_series_that_was_called_off_as_a_whole_took_place_after_all(self, desk: Desk) -> None:
        referral, sessions = await self.booked(desk)
        while left := [row for row in await desk.sessions(referral) if row.status == "booked"]:
            assert left[0].starts_at is not None
            await desk.at(left[0].starts_at)
            await desk.put(left[0], status="noshow")
        assert await series_of(desk, referral) == ("suspended", 0)
        await desk.correct(sessions[0], "fulfilled")
        assert await series_of(desk, referral) == ("completed", 1)


class TestWhatIsAsked:
    @pytest.mark.parametrize("given", [{}, {"status": "booked"}, {"status": "cancelled", "reason": "x"},
        {"status": "nonsense", "reason": "x"}, {"status": "booked", "reason": " "}])  # fmt: skip
    async def test_a_status_and_a_reason(self, desk: Desk, given: dict[str, Any]) -> None:
        _, row = await recorded(desk, "noshow")
        told = await desk.told()
        ctx = desk.ctx(principal=COORDINATOR)
        async with desk.database.transaction() as tx:
            with pytest.raises(NoReason):
                await use_cases.correct.run(ctx, tx, str(row.id), given=given, expect=lambda _: None)
        assert await desk.told() == told

    async def test_what_was_not_recorded_cannot_be_wrong(self, desk: Desk) -> None:
        row = await desk.first(await desk.accept())
        assert "nothing was recorded" in str(await refused(desk, row, "fulfilled"))

    async def test_a_place_on_the_waitlist_that_was_left_has_no_time(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, a_clinic(people=[a_person("ana", days=["sun"])]))
        referral = await desk.accept(due_on=date(2026, 6, 3))
        await desk.end(referral)
        text = str(await refused(desk, await desk.first(referral), "booked"))
        assert text == "It never had a time that it could have again."

    async def test_what_it_is_already_is_not_written_again(self, desk: Desk) -> None:
        _, row = await recorded(desk, "noshow")
        before = await state_of(desk, row)
        await desk.correct(row, "noshow")
        assert (await state_of(desk, row)).version == before.version

    async def test_another_sites_coordinator_does_not_find_it(self, desk: Desk) -> None:
        _, row = await recorded(desk, "noshow")
        stranger = replace(COORDINATOR, site="ottawa")
        given = {"status": "booked", "reason": "x"}
        ctx = desk.ctx(principal=stranger)
        async with desk.database.transaction() as tx:
            with pytest.raises(NotFound):
                await use_cases.correct.run(ctx, tx, str(row.id), given=given, expect=lambda _: None)

    async def test_the_history_keeps_every_version_and_says_why(self, desk: Desk) -> None:
        _, row = await recorded(desk, "noshow")
        corrected = await desk.correct(row, "fulfilled", "Robin says that she came.")
        assert said(corrected)["reason"] == ["recorded-by-mistake", "as-written"]
        async with desk.database.transaction() as tx:
            versions = f"SELECT body FROM ({await versions_of(desk.database)}) AS every WHERE id = :id"
            found = await sql(tx, f"{versions} ORDER BY version", id=str(row.id))
            statuses = [msgspec.json.decode(version.body)["status"] for version in found.all()]
        assert statuses == ["booked", "noshow", "fulfilled"]
        (event,) = await desk.carried("appointment.corrected")
        assert "Robin says that she came." in str(event.focus["extension"])


async def series_of(desk: Desk, referral: str) -> tuple[str, int]:
    """Give where a series stands and how many of its sessions took place."""
    series = await desk.series(referral)
    assert series is not None
    held = [reason.arguments[0].value for reason in series.reasons if reason.code == "sessions-held"]
    return series.status, int(held[0]) if held else 0


async def sql_in(desk: Desk, statement: str) -> None:
    async with desk.database.transaction() as tx:
        await sql(tx, statement)
