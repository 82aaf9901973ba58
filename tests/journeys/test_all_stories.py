"""All stories of the demo, played together once: what is said is valid, has names that resolve, no patient by
name where a reference stands, and reasons that can be said in French; and nothing is left over.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from deploy import reasons
from deploy.demo.stories import STORIES
from shared.directory.rows import TYPES
from shared.fhir import reason_codes
from shared.fhir.reasons import REASON_SYSTEM, reasons_of
from shared.fhir.references import is_ours, parse
from shared.reasons import AS_WRITTEN
from shared.urls import Urls
from tests.journeys.stage import nothing_is_left_over, play
from tests.support.clinic import BASE_URL, TestClinic
from tests.support.history import versions_of
from tests.support.labels import check_labels, forget_figures
from tests.support.mailbox import open_mailbox
from tests.support.sql import sql
from tests.support.validator import Ear, errors

pytestmark = [
    pytest.mark.timeout(1500),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("client libraries"),
]

SERVICES = ("referral", "scheduling", "careteam", "notifications")
# What Lumbar renders, by service; all else that is stored came from somebody, and keeps its bytes.
RENDERED = {
    "referral": {"Task", "Claim", "Provenance", "Composition"},
    "scheduling": {"Appointment", "List", "Task", *TYPES},
    "careteam": {"CareTeam", "Appointment", "Composition", "Provenance", "Task"},
    "notifications": {"Communication"},
}
# Codes that are told as they are: paths of elements, ids of rules, and a bound that there is not.
AS_THEY_ARE = {"members", "read", "rule", "highest"}


@dataclass(frozen=True, kw_only=True)
class Played:
    """A clinic in which all stories have happened, and what its parties were answered."""

    clinic: TestClinic
    ear: Ear


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played() -> AsyncIterator[Played]:
    """All stories of the demo, from an empty Monday on."""
    forget_figures()
    async with open_mailbox() as mailbox, TestClinic(mailbox=mailbox) as clinic:
        ear = Ear()
        ear.listen(clinic)
        await play(clinic, *STORIES)
        yield Played(clinic=clinic, ear=ear)
        check_labels(clinic.workers.values())


async def test_nothing_is_left_over_of_them(played: Played) -> None:
    await nothing_is_left_over(played.clinic)


async def test_every_reference_to_the_directory_resolves_where_it_stands(played: Played) -> None:
    clinic = played.clinic
    seen = 0
    for service in RENDERED:
        base = f"/{service}/fhir"
        named = {
            (parsed.type, parsed.id, reference.get("display"))
            for resource in await _rendered(clinic, service)
            for reference in _references(resource)
            if (parsed := parse(reference)).type in TYPES
            and is_ours(parsed, Urls(base=BASE_URL, service=service))
        }
        for resource_type, id, display in named:
            answer = await clinic.as_("coordinator").get(f"{base}/{resource_type}/{id}")
            assert answer.status_code == 200, (service, resource_type, id)
            known = clinic.clinic.name_of(str(resource_type), str(id))
            assert known is None or display == known, (service, resource_type, id, display)
        seen += len(named)
        assert named, service
    assert seen > 30


async def test_no_reference_to_a_patient_has_a_name(played: Played) -> None:
    clinic = played.clinic
    patients = [
        reference
        for service in RENDERED
        for resource in await _rendered(clinic, service)
        for reference in _references(resource)
        if parse(reference).type == "Patient"
    ]
    assert len(patients) > 30
    assert [reference for reference in patients if "display" in reference] == []


async def test_every_reason_has_the_arguments_that_its_code_declares(played: Played) -> None:
    clinic = played.clinic
    systems = reasons.code_systems()
    french = reason_codes.read(systems, language="fr")
    declared = {
        concept["code"]: {(prop["valueCode"], prop["code"]) for prop in concept.get("property", ())}
        for concept in systems[0]["concept"]
    }
    names = {one.id for one in (*clinic.clinic.programmes, *clinic.clinic.people)}
    told = set()
    for stated in await _stated(clinic):
        (reason,) = reasons_of({"coding": [stated]})
        if reason.code == AS_WRITTEN:
            continue
        for argument in reason.arguments:
            assert (argument.name, argument.kind) in declared[reason.code], (reason.code, argument)
            if argument.kind == "code" and argument.name not in AS_THEY_ARE | {"programme", "who"}:
                known = french.words.get(argument.name, {})
                assert argument.value in known or argument.value in names, (reason.code, argument)
        assert reason_codes.say({"coding": [stated]}, french) != stated["display"]
        told.add(reason.code)
    assert len(told) > 30


async def test_nothing_that_is_said_in_the_stories_is_in_error(played: Played) -> None:
    clinic, ear = played.clinic, played.ear
    await _read_everything(clinic, "coordinator", "family-practice", "physiatrist", "workplace-insurer")
    for event in await clinic.events():
        ear.add(msgspec.json.decode(event.value))
    heard = list(ear.heard.values())
    assert len(heard) > 1000
    assert errors(heard) == []


async def _read_everything(clinic: TestClinic, *parties: str) -> None:
    """Read what each service says that it has, and what each party finds of each type there."""
    for party in parties:
        client = clinic.as_(party)
        for service in SERVICES:
            told = (await client.get(f"/{service}/fhir/metadata")).json()
            for kind in told["rest"][0]["resource"]:
                offered = {one["code"] for one in kind.get("interaction", [])}
                found: dict[str, Any] = {}
                if "search-type" in offered:
                    found = (await client.get(f"/{service}/fhir/{kind['type']}?_count=200")).json()
                for entry in found.get("entry", [])[:5]:
                    identity = entry["resource"].get("id")
                    if identity and "history-instance" in offered:
                        await client.get(f"/{service}/fhir/{kind['type']}/{identity}/_history")


async def _rendered(clinic: TestClinic, service: str) -> list[dict[str, Any]]:
    """Read every version of what a service renders itself."""
    database = clinic.databases[service]
    versions = f"SELECT type, body FROM ({await versions_of(database)}) AS v"
    async with database.transaction() as tx:
        found = (await sql(tx, versions)).all()
    return [msgspec.json.decode(row.body) for row in found if row.type in RENDERED[service]]


def _references(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            yield node
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


async def _stated(clinic: TestClinic) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for database in clinic.databases.values():
        async with database.transaction() as tx:
            versions = await sql(tx, f"SELECT body FROM ({await versions_of(database)}) AS v")
            for row in versions.all():
                found += _codings(msgspec.json.decode(row.body))
    return found


def _codings(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if node.get("system") == REASON_SYSTEM:
            yield node
        for value in node.values():
            yield from _codings(value)
    elif isinstance(node, list):
        for value in node:
            yield from _codings(value)
