"""A visit that the patient calls off late: whose rule says so, and whether a unit is used."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.scheduling.models.rows import Appointment
from services.scheduling.use_cases.book_visit import CannotBook
from shared.clinic import Clinic
from shared.db import Database
from shared.fhir.reasons import REASON_SYSTEM
from tests.integration.scheduling.test_doors import clinic, first_of, put, refer
from tests.support.booking import Desk, a_clinic, local
from tests.support.clinic import TestClinic

__all__ = ["clinic"]

CODES = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"


def called_off(code: str = "pat", words: str | None = None) -> dict[str, Any]:
    reason: dict[str, Any] = {"coding": [{"system": CODES, "code": code}]}
    return {"status": "cancelled", "cancelationReason": reason | ({"text": words} if words else {})}


def clinic_that_says(**rules: Any) -> Clinic:
    """Make a clinic whose payer has these rules."""
    usual = a_clinic()
    return usual.model_copy(update={"payers": (usual.payers[0].model_copy(update=rules),)})


async def booked(desk: Desk, *, units: int = 4) -> tuple[str, list[Appointment]]:
    """Book a series that the payer grants."""
    referral = await desk.accept(payer="insurer")
    await desk.authorize(referral, units=units)
    return referral, await desk.sessions(referral)


async def call_off(desk: Desk, row: Appointment, *, ahead: timedelta, **how: Any) -> list[str]:
    """Call a visit off so long before it begins, and return the codes of its reasons."""
    assert row.starts_at is not None
    await desk.at(row.starts_at - ahead)
    gone = await desk.put(row, **called_off(**how))
    return [reason.code for reason in gone.reasons]


@pytest.fixture
def strict(scheduling_db: Database) -> Desk:
    return Desk(scheduling_db, clinic_that_says(late_cancel_hours=24, late_cancel_uses_unit=True))


class TestALateCancellation:
    async def test_is_what_the_patient_calls_off_nearer_than_the_payer_wants(self, strict: Desk) -> None:
        _, (session, later, *_) = await booked(strict)
        codes = await call_off(strict, session, ahead=timedelta(hours=23, minutes=59), words="A cold.")
        assert codes == ["cancelled-late", "late-uses-a-unit", "as-written"]
        assert await call_off(strict, later, ahead=timedelta(hours=24)) == []

    async def test_stands_on_the_visit_and_in_the_event(self, strict: Desk) -> None:
        _, (session, *_) = await booked(strict)
        await call_off(strict, session, ahead=timedelta(hours=2))
        (event,) = await strict.carried("appointment.cancelled")
        stated = event.focus["cancelationReason"]
        assert [one["code"] for one in stated["coding"] if one["system"] == REASON_SYSTEM] == [
            "cancelled-late",
            "late-uses-a-unit",
        ]
        assert stated["text"].startswith("It was called off late: fewer than 24 hours before it began.")

    async def test_of_a_first_visit_uses_no_unit_and_is_booked_again(self, strict: Desk) -> None:
        referral = await strict.accept(payer="insurer")
        first = await strict.first(referral)
        assert await call_off(strict, first, ahead=timedelta(hours=2)) == ["cancelled-late"]
        assert (await strict.first(referral)).status == "booked"

    async def test_uses_no_unit_unless_the_payer_says_so(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, clinic_that_says(late_cancel_hours=24))
        _, (session, *_) = await booked(desk)
        assert await call_off(desk, session, ahead=timedelta(hours=2)) == ["cancelled-late"]

    @pytest.mark.parametrize("code", ["prov", "oth-weath", "pat-dec"])
    async def test_is_never_the_clinics_nor_of_who_has_died(self, strict: Desk, code: str) -> None:
        _, (session, *_) = await booked(strict)
        assert await call_off(strict, session, ahead=timedelta(hours=2), code=code) == []

    async def test_is_none_without_a_rule_of_the_payer(self, scheduling_db: Database) -> None:
        desk = Desk(scheduling_db, a_clinic())
        _, (session, *_) = await booked(desk)
        assert await call_off(desk, session, ahead=timedelta(minutes=5)) == []

    async def test_is_taken_back_by_a_correction(self, strict: Desk) -> None:
        _, (session, *_) = await booked(strict)
        await call_off(strict, session, ahead=timedelta(hours=2))
        assert (await strict.correct(session, "booked")).reasons == []

    async def test_leaves_one_session_less_of_the_grant(self, strict: Desk) -> None:
        referral, (session, *_) = await booked(strict)
        await call_off(strict, session, ahead=timedelta(hours=2))
        day = date(2026, 7, 2)
        times = {"referral_id": UUID(referral), "visit": "session"}
        [proposal, *_] = await strict.find(local(day, "00:00"), local(day, "23:59"), **times)
        with pytest.raises(CannotBook, match="All 4 sessions that may be had are booked or used"):
            await strict.book(proposal)
        await strict.authorize(referral, status="modified", units=3)
        assert len(await strict.sessions(referral)) == 2


class TestWhatBecameOfVisits:
    async def test_is_counted_by_who_called_off_and_how_late(self, clinic: TestClinic) -> None:
        first = await first_of(clinic, await refer(clinic))
        await first_of(clinic, await refer(clinic))
        assert (await put(clinic, "coordinator", first | called_off())).status_code == 200
        await clinic.days(3)
        today = clinic.clock.now().date()
        answer = await clinic.as_("coordinator").get(
            f"/scheduling/attendance?from=2026-03-01&to={today.isoformat()}"
        )
        assert answer.status_code == 200, answer.text
        (row,) = answer.json()["visits"]
        assert row["called_off_by_patient"] == 1
        assert (row["late"], row["took_place"], row["unrecorded"]) == (0, 0, 2)

    async def test_is_the_coordinators_and_of_days_in_order(self, clinic: TestClinic) -> None:
        assert (await clinic.as_("physiotherapist").get("/scheduling/attendance")).status_code == 403
        wrong = await clinic.as_("coordinator").get("/scheduling/attendance?from=2026-03-05&to=2026-03-01")
        assert (wrong.status_code, wrong.json()["issue"][0]["expression"]) == (400, ["from"])
