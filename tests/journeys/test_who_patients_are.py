"""Other services keep who a patient is: from the first event on, and what is newest."""

from typing import Any

import pytest

from tests.integration.referral.test_correcting_a_patient import consent, correct
from tests.support import referrals
from tests.support.clinic import TestClinic
from tests.support.sql import sql

FRENCH = [{"language": {"coding": [{"code": "en"}]}}, {"language": {"text": "fr"}, "preferred": True}]
TELECOM = [
    {"system": "phone", "value": "0101", "use": "old"},
    {"system": "email", "value": "noor@example.org"},
    {"system": "phone", "value": "0303", "rank": 2},
    {"system": "phone", "value": "0202", "rank": 1, "period": {"end": "2026-12-31"}},
]
NOOR = {"family": "Abernathy", "given": "Noor", "birth_date": "1980-05-17", "language": "fr"}
REACHED = ["0202", "0303", "noor@example.org"]
KEPT = ("scheduling", "careteam", "notifications")


async def rows(clinic: TestClinic, service: str, table: str) -> list[Any]:
    await clinic.settle()
    async with clinic.databases[service].transaction() as tx:
        return list(await sql(tx, f"SELECT * FROM {table}"))


async def one(clinic: TestClinic, service: str, table: str = "known_patient") -> Any:
    [row] = await rows(clinic, service, table)
    return row


async def refer(clinic: TestClinic) -> str:
    sent = referrals.bundle()
    referrals.resource(sent, "Patient").update({"communication": FRENCH, "telecom": TELECOM})
    answer = await clinic.as_("family-practice").post("/referral/fhir", json=sent)
    assert answer.status_code == 200, answer.text
    await clinic.settle()
    found = await clinic.as_("coordinator").get("/referral/fhir/Patient")
    return str(found.json()["entry"][0]["resource"]["id"])


async def test_each_knows_a_new_patient_by_what_it_hears_anyway() -> None:
    async with TestClinic() as clinic:
        await refer(clinic)
        for service, table in (("scheduling", "referral"), ("careteam", "team")):
            assert (await one(clinic, service, table)).person == NOOR, service
        known = await one(clinic, "notifications", "known_referral")
        assert known.person == NOOR
        assert [point["value"] for point in known.contact_points] == REACHED
        for service in KEPT:
            assert await rows(clinic, service, "known_patient") == [], "a plain referral writes no row more"


async def test_each_hears_what_a_coordinator_corrects() -> None:
    async with TestClinic() as clinic:
        patient = await refer(clinic)
        name = [{"family": "Reid", "given": ["Noor", "Anne"]}]
        said = [consent("email"), consent("sms", permitted=False)]
        await correct(clinic, patient, name=name, birthDate="1981-05-17", extension=said)
        expected = {"family": "Reid", "given": "Noor Anne", "birth_date": "1981-05-17", "language": "fr"}
        for service in KEPT:
            row = await one(clinic, service)
            assert (row.id, row.person) == (patient, expected), service
        known = await one(clinic, "notifications")
        assert [point["value"] for point in known.contact_points] == REACHED
        assert known.contact_points[0]["end"] == "2026-12-31"
        assert [(said["channel"], said["permitted"]) for said in known.channel_consents] == [
            ("email", True),
            ("sms", False),
        ]


@pytest.mark.parametrize("service", KEPT)
async def test_what_is_older_never_takes_the_place_of_what_is_newer(service: str) -> None:
    async with TestClinic(services=(service,)) as clinic:
        for version, family in ((2, "Newer"), (1, "Older"), (2, "Again")):
            patient = {"resourceType": "Patient", "id": "p1", "name": [{"family": family}]}
            await clinic.publish("patient.changed", focus=patient, key="p1", version=version)
        row = await one(clinic, service)
        assert (row.person["family"], row.event_version) == ("Newer", 2)


@pytest.mark.parametrize("service", KEPT)
async def test_a_patient_without_name_or_date_is_known_as_that(service: str) -> None:
    async with TestClinic(services=(service,)) as clinic:
        await clinic.publish("patient.changed", focus={"resourceType": "Patient", "id": "p1"}, key="p1")
        row = await one(clinic, service)
        assert row.person == {"family": "", "given": "", "birth_date": None, "language": None}
