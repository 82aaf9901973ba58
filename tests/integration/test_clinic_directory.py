"""The directory of the clinic: the same in every service, and readable by everybody who sees references."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
import pytest_asyncio

from deploy.services import SERVICES
from services.scheduling import handlers
from shared.clinic import Clinic
from shared.directory import copies, rows
from shared.events.catalog.types import typed
from shared.events.envelope import Event
from tests.support.clinic import TestClinic
from tests.support.sql import sql

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("clinic directory")]

ONE_OF_EACH = (
    "Organization/harbour-spine",
    "Location/gym",
    "Practitioner/physiatrist",
    "PractitionerRole/physiatrist",
    "HealthcareService/rapid-access",
)
READERS = ("family-practice", "workplace-insurer", "coordinator", "physiatrist")
# What a search finds in every service, by the ids of clinic.yaml.
FOUND = {
    "Organization?name=harbour": {"harbour-spine"},
    "Organization?identifier=https://payers.example/id|lakeshore-motor": {"motor-insurer"},
    "Organization?type=http://terminology.hl7.org/CodeSystem/organization-type|pay": {
        "workplace-insurer",
        "motor-insurer",
    },
    "Location?partof=Location/toronto": {
        "assessment-1",
        "assessment-2",
        "gym",
        "treatment-1",
        "quiet-room",
        "procedure-1",
        "group-room",
    },
    "Location?organization=harbour-spine&status=active&name=harb": {"toronto"},
    "Practitioner?family=okafor": {"physiatrist"},
    "Practitioner?name:contains=LUC": {"physiotherapist-2"},
    "Practitioner?_id=physiatrist,psychologist,nobody": {"physiatrist", "psychologist"},
    "Practitioner?active=false": set(),
    "PractitionerRole?practitioner=Practitioner/physiatrist": {"physiatrist"},
    "PractitionerRole?specialty=physiotherapy": {"physiotherapist", "physiotherapist-2"},
    "PractitionerRole?specialty=http://snomed.info/sct|physiotherapy": set(),
    "PractitionerRole?service=HealthcareService/rapid-access&location=toronto": {
        "physiatrist",
        "physiotherapist",
        "physiotherapist-2",
    },
    "HealthcareService?service-type=https://lumbar.care/fhir/CodeSystem/programme|chronic-pain": {
        "chronic-pain"
    },
    "HealthcareService?characteristic=no-pregnancy": {"rapid-access"},
    "HealthcareService?organization=harbour-spine&location=toronto&active=true&service-category=34": {
        "rapid-access",
        "workplace-rehabilitation",
        "motor-vehicle-rehabilitation",
        "chronic-pain",
        "functional-restoration",
    },
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clinic() -> AsyncIterator[TestClinic]:
    async with TestClinic() as made:
        await made.settle()
        yield made


async def test_every_service_answers_the_same_bytes_to_everybody(clinic: TestClinic) -> None:
    for reference in ONE_OF_EACH:
        answers = [
            await clinic.as_(reader).get(f"/{service}/fhir/{reference}{what}")
            for service in SERVICES
            for reader in READERS
            for what in ("", "/_history/1")
        ]
        assert {answer.status_code for answer in answers} == {200}, reference
        assert len({answer.content for answer in answers}) == 1
        assert {answer.headers["etag"] for answer in answers} == {'W/"1"'}
        assert f"{answers[0].json()['resourceType']}/{answers[0].json()['id']}" == reference


@pytest.mark.parametrize("service", SERVICES)
async def test_every_service_searches_it(clinic: TestClinic, service: str) -> None:
    for query, ids in FOUND.items():
        answer = await clinic.as_("coordinator").get(f"/{service}/fhir/{query}")
        assert answer.status_code == 200, (query, answer.text)
        assert {entry["resource"]["id"] for entry in answer.json().get("entry", [])} == ids, query
        assert answer.json()["total"] == len(ids)


@pytest.mark.parametrize("service", SERVICES)
async def test_includes_follow_its_references_both_ways(clinic: TestClinic, service: str) -> None:
    base, caller = f"/{service}/fhir", clinic.as_("physiatrist")
    forth = await caller.get(f"{base}/PractitionerRole?_id=psychologist&_include=*")
    assert _included(forth) == {
        "Practitioner/psychologist",
        "Organization/harbour-spine",
        "Location/toronto",
        "HealthcareService/motor-vehicle-rehabilitation",
        "HealthcareService/chronic-pain",
        "HealthcareService/functional-restoration",
    }
    back = await caller.get(f"{base}/Practitioner?_id=psychologist&_revinclude=PractitionerRole:practitioner")
    assert _included(back) == {"PractitionerRole/psychologist"}


@pytest.mark.parametrize("service", SERVICES)
async def test_every_include_that_a_service_states_is_followed(clinic: TestClinic, service: str) -> None:
    base, caller = f"/{service}/fhir", clinic.as_("coordinator")
    stated = (await clinic.anonymous().get(f"{base}/metadata")).json()["rest"][0]["resource"]
    asked = [
        f"{one['type']}?{parameter}={name}"
        for one in stated
        for parameter, names in (
            ("_include", one.get("searchInclude", ())),
            ("_revinclude", one.get("searchRevInclude", ())),
        )
        for name in names
    ]
    assert any("PractitionerRole:location" in query for query in asked)
    failed = {}
    for query in asked:
        answer = await caller.get(f"{base}/{query}")
        if answer.status_code not in (200, 403):
            failed[query] = answer.status_code
    assert failed == {}


@pytest.mark.parametrize("service", SERVICES)
async def test_no_other_id_finds_it(clinic: TestClinic, service: str) -> None:
    caller = clinic.as_("coordinator")
    row_id = rows.row_id("Practitioner", "physiatrist")
    for wrong in (str(row_id), "PHYSIATRIST", "harbour-spine", "physiatrist%00", "nobody"):
        assert (await caller.get(f"/{service}/fhir/Practitioner/{wrong}")).status_code in (400, 404), wrong
    found = await caller.get(f"/{service}/fhir/Practitioner?_id={row_id}")
    assert found.json()["total"] == 0


async def test_a_programme_says_who_may_refer_and_what_is_needed(clinic: TestClinic) -> None:
    answer = await clinic.as_("family-practice").get("/referral/fhir/HealthcareService/rapid-access")
    service = answer.json()
    said = {one["code"]["coding"][0]["code"]: one["comment"] for one in service["eligibility"]}
    assert said["min-age"] == "18 years or older."
    assert said["pain-to"] == "The pain began no more than 12 months ago."
    assert "no-claim-workplace" in said
    assert [one["coding"][0]["code"] for one in service["referralMethod"]] == [
        "elec",
        "phone",
        "fax",
        "mail",
    ]
    [needed] = [one["valueCanonical"] for one in service["extension"] if "valueCanonical" in one]
    questionnaires = await clinic.as_("family-practice").get(f"/referral/fhir/Questionnaire?url={needed}")
    assert questionnaires.json()["total"] == 1


async def test_it_says_nothing_of_a_person_that_is_nobodys_business(clinic: TestClinic) -> None:
    for kind in ("Practitioner", "PractitionerRole", "Organization"):
        answer = await clinic.as_("workplace-insurer").get(f"/scheduling/fhir/{kind}")
        for person in clinic.clinic.people:
            assert person.email not in answer.text
        for practice in clinic.clinic.organizations:
            assert practice.email not in answer.text


async def test_who_has_no_scope_reads_none_of_it(clinic: TestClinic) -> None:
    for service in SERVICES:
        answer = await clinic.as_("operator").get(f"/{service}/fhir/Practitioner/physiatrist")
        assert answer.status_code == 403


class TestAnotherClinicFile:
    """clinic.yaml is another one at the next start of the worker."""

    async def test_only_what_differs_gets_a_version_and_is_published(self) -> None:
        async with TestClinic() as clinic:
            await clinic.settle()
            before = len(await clinic.events("directory.changed"))
            await _start_with(clinic, clinic.clinic)
            assert len(await clinic.events("directory.changed")) == before

            await _start_with(clinic, _renamed(clinic.clinic, "psychologist", family="Haddad-Klein"))
            changed = (await clinic.events("directory.changed"))[before:]
            assert [event.subject for event in changed] == [
                "Practitioner/psychologist",
                "PractitionerRole/psychologist",
            ]
            for service in SERVICES:
                caller = clinic.as_("coordinator")
                now = await caller.get(f"/{service}/fhir/Practitioner/psychologist")
                assert now.json()["name"][0]["family"] == "Haddad-Klein"
                assert now.headers["etag"] == 'W/"2"'
                history = (await caller.get(f"/{service}/fhir/Practitioner/psychologist/_history")).json()
                assert [one["resource"]["name"][0]["family"] for one in history["entry"]] == [
                    "Haddad-Klein",
                    "Haddad",
                ]
                found = await caller.get(f"/{service}/fhir/Practitioner?family=haddad-k")
                assert found.json()["total"] == 1

    async def test_who_left_stays_and_is_inactive_and_may_come_back(self) -> None:
        async with TestClinic() as clinic:
            await clinic.settle()
            people = tuple(one for one in clinic.clinic.people if one.id != "physiotherapist-2")
            await _start_with(clinic, clinic.clinic.model_copy(update={"people": people}))
            caller = clinic.as_("coordinator")
            for service in SERVICES:
                gone = await caller.get(f"/{service}/fhir/Practitioner/physiotherapist-2")
                assert (gone.status_code, gone.json()["active"]) == (200, False)
                left = await caller.get(f"/{service}/fhir/Practitioner?active=false")
                assert left.json()["total"] == 1
            await _start_with(clinic, clinic.clinic.model_copy(update={"people": people}))
            again = await caller.get("/careteam/fhir/Practitioner/physiotherapist-2")
            assert again.headers["etag"] == 'W/"2"'
            await _start_with(clinic, clinic.clinic)
            back = await caller.get("/careteam/fhir/Practitioner/physiotherapist-2")
            assert (back.headers["etag"], back.json()["active"]) == ('W/"3"', True)

    async def test_two_workers_that_start_at_once_with_two_files_come_to_rest_on_one(self) -> None:
        async with TestClinic() as clinic:
            await clinic.settle()
            before = len(await clinic.events("directory.changed"))
            described = [_renamed(clinic.clinic, "psychologist", family=name) for name in ("One", "Other")]
            await asyncio.gather(*(_start(clinic, one) for one in described))
            await clinic.settle()
            psychologists = [
                event.focus["name"][0]["family"]
                for event in (await clinic.events("directory.changed"))[before:]
                if event.subject == "Practitioner/psychologist"
            ]
            assert len(psychologists) == 1, "one of the two seeds the roster, and the other takes it"
            for service in SERVICES:
                now = await clinic.as_("coordinator").get(f"/{service}/fhir/Practitioner/psychologist")
                assert now.headers["etag"] == 'W/"2"'
                assert now.json()["name"][0]["family"] == psychologists[-1]
            heard = len(await clinic.events("directory.changed"))
            await clinic.days(2)
            assert len(await clinic.events("directory.changed")) == heard

    async def test_a_data_folder_of_before_gets_it_at_the_next_start(self) -> None:
        async with TestClinic() as clinic:
            await clinic.settle()
            for service in SERVICES:
                async with clinic.databases[service].transaction() as tx:
                    await sql(tx, "DELETE FROM directory_resource")
            await _start_with(clinic, clinic.clinic)
            for service in SERVICES:
                answer = await clinic.as_("coordinator").get(f"/{service}/fhir/Location/gym")
                assert answer.status_code == 200


class TestACopy:
    """What a service does with an event that is old, or comes again."""

    @pytest.mark.parametrize("service", [name for name in SERVICES if name != "scheduling"])
    async def test_an_older_version_never_replaces_a_newer(self, service: str) -> None:
        async with TestClinic() as clinic:
            await clinic.settle()
            await _start_with(clinic, _renamed(clinic.clinic, "psychologist", family="Newer"))
            events = [
                event
                for event in await clinic.events("directory.changed")
                if event.subject == "Practitioner/psychologist"
            ]
            for event in (*events, *reversed(events)):
                await _follow(clinic, service, event)
            now = await clinic.as_("coordinator").get(f"/{service}/fhir/Practitioner/psychologist")
            assert now.json()["name"][0]["family"] == "Newer"
            history = await clinic.as_("coordinator").get(
                f"/{service}/fhir/Practitioner/psychologist/_history"
            )
            assert history.json()["total"] == 2


def _included(answer: httpx.Response) -> set[str]:
    return {
        f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        for entry in answer.json()["entry"]
        if entry["search"]["mode"] == "include"
    }


def _renamed(clinic: Clinic, person_id: str, *, family: str) -> Clinic:
    people = tuple(
        one.model_copy(update={"family": family}) if one.id == person_id else one for one in clinic.people
    )
    return clinic.model_copy(update={"people": people})


async def _start_with(clinic: TestClinic, described: Clinic) -> None:
    await _start(clinic, described)
    await clinic.settle()


async def _start(clinic: TestClinic, described: Clinic) -> None:
    """Start with this clinic where its site has no roster yet, as that of a data folder of before."""
    runtime = clinic.workers["scheduling"].runtime
    ctx = replace(runtime.context(cause="start"), clinic=described, current=None)
    async with runtime.database.transaction() as tx:
        await tx.run("DELETE FROM roster")
        await tx.run("DELETE FROM unavailable_time")
        await handlers.on_start(ctx, tx)


async def _follow(clinic: TestClinic, service: str, event: Event) -> None:
    event_read: Any = typed(event)
    ctx = clinic.workers[service].runtime.context(cause=event.id)
    async with clinic.databases[service].transaction() as tx:
        await copies.follow(ctx, tx, event_read)
