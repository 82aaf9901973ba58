"""All existing patients are published again: of a clinic that runs, and of one whose folder an older version
made.
"""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import msgspec
import pytest

from deploy.embedded import EmbeddedPostgres
from deploy.republishing import republish_all
from deploy.services import SERVICES, package
from services.referral import use_cases
from shared.db import Database, migrate
from tests.integration.referral.test_correcting_a_patient import consent, correct, recorded
from tests.integration.referral.test_one_person import merge
from tests.support import referrals
from tests.support.clinic import TestClinic
from tests.support.folders import open_folder
from tests.support.process import LumbarProcess, lumbar
from tests.support.sql import sql

KEPT = ("scheduling", "careteam", "notifications")
BEFORE = {"referral": "0015", "scheduling": "0013", "careteam": "0008", "notifications": "0008"}


async def send(clinic: TestClinic, **bundle: Any) -> str:
    answer = await clinic.as_("family-practice").post("/referral/fhir", json=referrals.bundle(**bundle))
    assert answer.status_code == 200, answer.text
    locations = [entry["response"].get("location", "") for entry in answer.json()["entry"]]
    return next(location.split("/")[1] for location in locations if location.startswith("Patient/"))


async def kept(clinic: TestClinic, service: str) -> dict[str, Any]:
    async with clinic.databases[service].transaction() as tx:
        return {row.id: row for row in await sql(tx, "SELECT * FROM known_patient")}


async def business(clinic: TestClinic) -> dict[str, Any]:
    """Read what publishing again may not change."""
    tables = {
        "scheduling": ("appointment", "referral", "guarantee", "occupancy"),
        "careteam": ("team", "care_task"),
        "notifications": ("notification", "known_referral"),
        "referral": ("referral", "task", "enclosure"),
    }
    found = {}
    for service, names in tables.items():
        async with clinic.databases[service].transaction() as tx:
            for name in names:
                rows = await tx.records(f"SELECT * FROM {name}")
                found[f"{service}.{name}"] = sorted(str(dict(row)) for row in rows)
    return found


async def forget(clinic: TestClinic) -> None:
    """Let the services know of patients what an older version kept: nothing."""
    await clinic.settle()
    for service in KEPT:
        async with clinic.databases[service].transaction() as tx:
            await tx.run("DELETE FROM known_patient")


async def test_reach_every_service_with_what_it_keeps_and_change_nothing_else() -> None:
    async with TestClinic() as clinic:
        patients = [await send(clinic, family=family) for family in ("One", "Two", "Three")]
        await clinic.settle()
        await correct(clinic, patients[0], extension=[consent("email")])
        await forget(clinic)
        before = await business(clinic)
        assert await republish_all(clinic.databases["referral"], batch=2) == 3
        await clinic.settle()
        for service in KEPT:
            known = await kept(clinic, service)
            assert set(known) == set(patients), service
            person = known[patients[0]].person
            assert (person["family"], person["birth_date"]) == ("One", "1980-05-17"), service
        consents = (await kept(clinic, "notifications"))[patients[0]].channel_consents
        assert [(said["channel"], said["permitted"]) for said in consents] == [("email", True)]
        assert await business(clinic) == before


async def test_again_are_published_again_and_known_as_before() -> None:
    async with TestClinic() as clinic:
        patients = [await send(clinic) for _ in range(3)]
        for _ in range(2):
            assert await republish_all(clinic.databases["referral"], batch=3) == 3
            await clinic.settle()
        events = await clinic.events("patient.changed")
        assert sorted(event.key for event in events) == sorted(patients * 2)
        assert {row.event_version for row in (await kept(clinic, "scheduling")).values()} == {2}


async def test_go_on_where_they_were_ended_by_a_kill() -> None:
    async with TestClinic() as clinic:
        patients = [await send(clinic) for _ in range(5)]
        database, ctx = clinic.databases["referral"], _context(clinic)
        async with database.transaction() as tx:
            await use_cases.republish_patients.begin(tx)
        async with database.transaction() as tx:
            await use_cases.republish_patients.step(ctx, tx, limit=2)
        with pytest.raises(KilledError):
            await _killed_in_a_step(clinic)
        assert await republish_all(database, batch=2) == 5
        await clinic.settle()
        assert sorted(event.key for event in await clinic.events("patient.changed")) == sorted(patients)


async def test_of_two_runs_at_once_are_published_once() -> None:
    async with TestClinic() as clinic:
        patients = [await send(clinic) for _ in range(6)]
        database = clinic.databases["referral"]
        async with database.transaction() as tx:
            await use_cases.republish_patients.begin(tx)
        counts = await asyncio.gather(*(_go_on(clinic) for _ in range(3)))
        assert counts == [6, 6, 6]
        await clinic.settle()
        assert sorted(event.key for event in await clinic.events("patient.changed")) == sorted(patients)


async def test_who_died_or_was_merged_stay_so_and_no_team_is_told_of_a_death_twice() -> None:
    async with TestClinic() as clinic:
        died = await send(clinic, health_card="1112223334")
        await clinic.settle()
        sent = referrals.bundle(health_card="1112223334", programme="chronic-pain")
        referrals.resource(sent, "Patient")["deceasedBoolean"] = True
        assert (await clinic.as_("family-practice").post("/referral/fhir", json=sent)).status_code == 200
        goes_on, merged = await send(clinic, family="One"), await send(clinic, family="Two")
        assert (await merge(clinic, merged, goes_on)).status_code == 200
        await clinic.settle()
        cases = await _cases(clinic)
        assert [case["for"]["reference"].rpartition("/")[2] for case in cases] == [died]
        await _take_off(clinic, cases[0]["id"])
        async with clinic.databases["careteam"].transaction() as tx:
            await tx.run("DELETE FROM known_patient")
        before = await business(clinic)
        await republish_all(clinic.databases["referral"], batch=10)
        await clinic.settle()
        assert await business(clinic) == before
        of_scheduling = await kept(clinic, "scheduling")
        assert of_scheduling[died].is_deceased
        assert of_scheduling[merged].replaced_by == goes_on


async def test_that_a_sender_gave_a_consent_of_its_own_are_published_without_it() -> None:
    async with TestClinic() as clinic:
        sent = referrals.bundle()
        referrals.resource(sent, "Patient")["extension"] = [consent("email")]
        await clinic.as_("family-practice").post("/referral/fhir", json=sent)
        await republish_all(clinic.databases["referral"], batch=10)
        await clinic.settle()
        [changed] = await clinic.events("patient.changed")
        assert recorded(changed.focus) == []


@pytest.mark.xdist_group("a clinic that is up")
def test_of_a_folder_of_an_older_version_reach_the_services_of_this_one() -> None:
    with open_folder() as folder:
        data = folder / "data"
        patient = _made_by_an_older_version(data)
        told = lumbar("patients", "republish", LUMBAR_DATA=str(data))
        assert (told.returncode, told.stdout) == (0, "1 patients published again\n"), told.stderr
        with LumbarProcess(data) as clinic:
            clinic.start()
            clinic.wait_until_ready()
            again = lumbar("patients", "republish", "--batch", "1", LUMBAR_DATA=str(data))
            assert again.stdout == "1 patients published again\n", "beside the clinic that runs"
            found = asyncio.run(_wait_for(data, patient))
        for service, person in found.items():
            assert person == {
                "family": "Tremblay",
                "given": "Hélène",
                "birth_date": "1961",
                "language": "fr",
            }, service


class KilledError(Exception):
    """The process ends before it commits."""


async def _killed_in_a_step(clinic: TestClinic) -> None:
    async with clinic.databases["referral"].transaction() as tx:
        await use_cases.republish_patients.step(_context(clinic), tx, limit=2)
        raise KilledError


async def _go_on(clinic: TestClinic) -> int:
    while True:
        async with clinic.databases["referral"].transaction() as tx:
            run = await use_cases.republish_patients.step(_context(clinic), tx, limit=1)
        if run.is_finished:
            return run.published


def _context(clinic: TestClinic) -> Any:
    runtime: Any = clinic.app.state.apps["referral"].state.runtime
    return runtime.context(cause="a command")


async def _cases(clinic: TestClinic) -> list[dict[str, Any]]:
    answer = await clinic.as_("physiatrist").get("/careteam/fhir/Task?code=agenda-item")
    return [entry["resource"] for entry in answer.json().get("entry", [])]


async def _take_off(clinic: TestClinic, case: str) -> None:
    """Let a case be over, as after its meeting."""
    async with clinic.databases["careteam"].transaction() as tx:
        await tx.run("UPDATE care_task SET state = 'decided', status = 'completed' WHERE id::text = $1", case)


def _made_by_an_older_version(data: Path) -> str:
    """Make a clinic's folder with the schema before this one, and a patient in it; give the patient's id."""
    server = EmbeddedPostgres.start(data, durable=False)
    try:
        return asyncio.run(_older(server))
    finally:
        server.stop()


async def _older(server: EmbeddedPostgres) -> str:
    connection = await asyncpg.connect(server.url("postgres"))
    for service in SERVICES:
        await connection.execute(f'CREATE DATABASE "{service}"')
    await connection.close()
    patient_id = uuid4()
    for service in SERVICES:
        database = Database.connect(server.url(service), name=service)
        await migrate.upgrade(database, package=package(service), to=BEFORE[service])
        if service == "referral":
            await _insert_patient(database, patient_id)
        await database.close()
    return str(patient_id)


async def _insert_patient(database: Database, patient_id: Any) -> None:
    body = {
        "resourceType": "Patient",
        "id": str(patient_id),
        "meta": {"versionId": "1"},
        "name": [{"family": "Tremblay", "given": ["Hélène"]}],
        "birthDate": "1961",
        "communication": [{"language": {"coding": [{"code": "fr"}]}}],
        "telecom": [{"system": "phone", "value": "0199"}],
    }
    async with database.transaction() as tx:
        await tx.run(
            "INSERT INTO patient (id, event_version, version, last_updated, body, identifiers, family, given,"
            " birth_date, deceased, requester) VALUES ($1, 0, 1, $2, $3, '{}', 'Tremblay', 'Hélène', '1961',"
            " false, 'family-practice')",
            patient_id,
            datetime(2026, 3, 2, 13, 0, tzinfo=UTC),
            msgspec.json.encode(body),
        )


async def _wait_for(data: Path, patient: str) -> dict[str, Any]:
    """Wait until every service of the running clinic knows a patient by the second event."""
    from deploy.attach import attached

    found: dict[str, Any] = {}
    async with attached(data) as databases, asyncio.timeout(30):
        while set(found) != set(KEPT):
            await asyncio.sleep(0.05)
            for service in KEPT:
                async with databases[service].transaction() as tx:
                    row = await sql(
                        tx, "SELECT * FROM known_patient WHERE id = :id AND event_version = 2", id=patient
                    )
                if (person := [one.person for one in row]) != []:
                    found[service] = person[0]
    return found
