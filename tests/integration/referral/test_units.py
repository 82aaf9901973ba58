"""An insurer reads who the member is, and how many of the granted units are used and left."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import MetaData

from deploy.services import package
from shared.db import migrate
from shared.fhir.codes import APPOINTMENT_KIND_SYSTEM
from shared.fhir.reasons import REASON_SYSTEM
from shared.ids import new_text_id
from tests.conftest import MakeDatabase
from tests.integration.referral.doors import located, response, send
from tests.integration.referral.test_authorization import (
    WORKPLACE,
    answer,
    claim_of,
    granted,
    refer,
    withdraw,
)
from tests.integration.referral.test_old_patients import AT, SHARED, _insert, _patient, _referral
from tests.support import referrals
from tests.support.clinic import TestClinic
from tests.support.sql import sql

USED = "https://lumbar.care/fhir/StructureDefinition/claim-units-used"


async def authorized(clinic: TestClinic) -> tuple[str, dict[str, Any]]:
    """Give a referral whose Claim for 12 sessions of physiotherapy is granted."""
    referral = await refer(clinic)
    claim = await claim_of(clinic)
    assert (await answer(clinic, response(claim, "A1"))).status_code == 201
    await granted(clinic)
    return referral, await claim_of(clinic)


async def session(
    clinic: TestClinic,
    referral: str,
    *,
    event: str = "appointment.fulfilled",
    id: str | None = None,
    status: str = "fulfilled",
    by: str = "physiotherapist",
    patient: str | None = None,
    kind: str = "session",
    because: Sequence[str] = (),
) -> str:
    """Say what became of a visit, and give its id."""
    named = (patient or (await claim_of(clinic))["patient"]["reference"], f"Practitioner/{by}")
    focus = {
        "resourceType": "Appointment",
        "id": id or new_text_id(),
        "status": status,
        "appointmentType": {"coding": [{"system": APPOINTMENT_KIND_SYSTEM, "code": kind}]},
        "basedOn": [{"reference": f"ServiceRequest/{referral}"}],
        "start": "2026-03-10T14:00:00Z",
        "end": "2026-03-10T15:00:00Z",
        "participant": [{"actor": {"reference": name}, "status": "accepted"} for name in named],
    }
    if because:
        coding = [{"system": REASON_SYSTEM, "code": code, "display": code} for code in because]
        focus["cancelationReason"] = {"coding": coding}
    await clinic.publish(event, focus=focus)
    await clinic.settle()
    return str(focus["id"])


async def units(clinic: TestClinic) -> dict[str, int | None]:
    """Read the grant as the insurer does."""
    number = (await clinic.as_(WORKPLACE).get("/referral/fhir/Coverage")).json()["entry"][0]["resource"]
    member = {"name": "member-id", "valueIdentifier": {"value": number["subscriberId"]}}
    body = {"resourceType": "Parameters", "parameter": [member]}
    asked = (await clinic.as_(WORKPLACE).post("/referral/fhir/Claim/$inquire", json=body)).json()
    stand = asked["parameter"][0]["resource"]["entry"][-1]["resource"]["parameter"]
    (grant,) = [one["part"] for one in stand if one["name"] == "grant"]
    said = {part["name"]: part.get("valueInteger") for part in grant}
    return {name: said.get(name) for name in ("units", "used", "left")}


def used_of(claim: dict[str, Any]) -> list[int]:
    return [one["valueInteger"] for one in claim["item"][0].get("extension", ()) if one["url"] == USED]


class TestTheMember:
    async def test_is_named_with_the_birth_date_and_nothing_else(self, clinic: TestClinic) -> None:
        await refer(clinic, health_card="9876543217")
        claim = await claim_of(clinic)
        assert claim["contained"] == [
            {
                "resourceType": "Patient",
                "id": "member",
                "name": [{"family": "Abernathy", "given": ["Noor"]}],
                "birthDate": "1980-05-17",
            }
        ]
        (extension,) = claim["extension"]
        assert extension["valueReference"] == {"reference": "#member"}
        assert claim["patient"]["reference"].startswith("Patient/")
        assert "9876543217" not in str(claim)

    async def test_is_read_by_nobody_without_consent(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        claim = await claim_of(clinic)
        await withdraw(clinic, referral)
        gone = await clinic.as_(WORKPLACE).get(f"/referral/fhir/Claim/{claim['id']}")
        assert gone.status_code == 404
        assert "Abernathy" not in gone.text
        other = await clinic.as_("motor-insurer").get(f"/referral/fhir/Claim/{claim['id']}")
        assert other.status_code == 404

    async def test_stands_in_claims_of_before_as_a_new_version(self, make_database: MakeDatabase) -> None:
        database = await make_database(MetaData())
        await migrate.upgrade(database, package=package("referral"), to="0021")
        claim_id = uuid4()
        await _old_claim(database, claim_id)
        await migrate.upgrade(database, package=package("referral"))
        async with database.transaction() as tx:
            (row,) = (await sql(tx, "SELECT version, body, units_known FROM claim")).all()
            kept = (await sql(tx, "SELECT version, body FROM resource_version WHERE type = 'Claim'")).all()
        claim = msgspec.json.decode(row.body)
        assert claim["contained"][0]["name"] == [{"family": "Tremblay", "given": ["Hélène Anne"]}]
        assert (row.version, claim["meta"]["versionId"]) == (2, "2")
        assert [(one.version, b"contained" in one.body) for one in kept] == [(1, False)]
        assert row.units_known is True


class TestUnits:
    async def test_are_all_left_until_a_session_took_place(self, clinic: TestClinic) -> None:
        referral, _ = await authorized(clinic)
        assert await units(clinic) == {"units": 12, "used": 0, "left": 12}
        await session(clinic, referral)
        assert await units(clinic) == {"units": 12, "used": 1, "left": 11}

    async def test_are_used_once_however_often_a_session_is_told(self, clinic: TestClinic) -> None:
        referral, _ = await authorized(clinic)
        first = await session(clinic, referral)
        await session(clinic, referral, id=first)
        assert (await units(clinic))["used"] == 1

    async def test_are_used_by_a_late_cancellation_where_the_payer_says_so_until_it_is_corrected(
        self, clinic: TestClinic
    ) -> None:
        referral, _ = await authorized(clinic)
        off = {"event": "appointment.cancelled", "status": "cancelled"}
        await session(clinic, referral, because=["cancelled-late"], **off)
        assert (await units(clinic))["used"] == 0
        late = await session(clinic, referral, because=["cancelled-late", "late-uses-a-unit"], **off)
        assert await units(clinic) == {"units": 12, "used": 1, "left": 11}
        await session(clinic, referral, event="appointment.corrected", id=late, status="booked")
        assert (await units(clinic))["used"] == 0

    async def test_are_taken_back_where_a_session_was_not_held(self, clinic: TestClinic) -> None:
        referral, _ = await authorized(clinic)
        first = await session(clinic, referral)
        await session(clinic, referral, id=first, event="appointment.corrected", status="noshow")
        assert (await units(clinic))["left"] == 12
        await session(clinic, referral, id=first, event="appointment.corrected")
        assert (await units(clinic))["left"] == 11

    async def test_are_not_used_by_a_first_visit_another_discipline_or_who_did_not_come(
        self, clinic: TestClinic
    ) -> None:
        referral, _ = await authorized(clinic)
        await session(clinic, referral, kind="first")
        await session(clinic, referral, event="appointment.missed", status="noshow")
        await session(clinic, referral, by="psychologist")
        assert (await units(clinic))["used"] == 0

    async def test_are_in_the_claim_and_its_history(self, clinic: TestClinic) -> None:
        referral, claim = await authorized(clinic)
        assert used_of(claim) == []
        await session(clinic, referral)
        await session(clinic, referral)
        assert used_of(await claim_of(clinic)) == [2]
        path = f"/referral/fhir/Claim/{claim['id']}/_history"
        history = (await clinic.as_(WORKPLACE).get(path)).json()["entry"]
        assert [used_of(entry["resource"]) for entry in history][:3] == [[2], [1], []]
        assert all(entry["resource"]["contained"] for entry in history)

    async def test_of_somebody_whom_the_clinic_no_longer_names_are_unknown(self, clinic: TestClinic) -> None:
        referral, _ = await authorized(clinic)
        await session(clinic, referral)
        await session(clinic, referral, by="somebody-of-before")
        assert await units(clinic) == {"units": 12, "used": None, "left": None}
        assert used_of(await claim_of(clinic)) == []

    async def test_of_a_referral_without_an_insurer_are_of_no_claim(self, clinic: TestClinic) -> None:
        sent = await send(clinic, referrals.bundle())
        await session(clinic, located(sent), patient=f"Patient/{located(sent, 'Patient')}")
        assert (await clinic.as_("coordinator").get("/referral/fhir/Claim")).json()["total"] == 0


async def _old_claim(database: Any, claim_id: UUID) -> None:
    """Insert a Claim as it was before, of a patient and a referral of before."""
    async with database.transaction() as tx:
        await _insert(tx, "patient", **_patient(SHARED, telephone="1"))
        referral = _referral(SHARED, "first")
        await _insert(tx, "referral", **referral)
        cover = {
            "type": "Coverage",
            "referral_id": referral["id"],
            "patient_id": SHARED,
            "requester": "first",
        }
        columns = {"id": uuid4(), "event_version": 0, "version": 1, "body": b"{}", "identifiers": []}
        await _insert(tx, "enclosure", **columns, **cover)
        body = {"resourceType": "Claim", "id": str(claim_id), "meta": {"versionId": "1"}, "item": []}
        await _insert(
            tx,
            "claim",
            id=claim_id,
            event_version=0,
            version=1,
            last_updated=AT,
            body=msgspec.json.encode(body),
            referral_id=referral["id"],
            patient_id=SHARED,
            coverage_id=columns["id"],
            payer=WORKPLACE,
            members=[],
            consented=True,
            status="active",
            standing="requested",
            created_at=AT,
        )
