"""What Lumbar writes names people, places and organisations that can be read, and no patient by name."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from shared.directory.rows import TYPES
from shared.fhir.references import is_ours, parse
from shared.urls import Urls
from tests.journeys.stage import play
from tests.support.clinic import BASE_URL, TestClinic
from tests.support.history import versions_of
from tests.support.sql import sql

# What Lumbar renders, by service; all else that is stored came from somebody, and keeps its bytes.
RENDERED = {
    "referral": {"Task", "Claim", "Provenance", "Composition"},
    "scheduling": {"Appointment", "List", "Task", *TYPES},
    "careteam": {"CareTeam", "Appointment", "Composition", "Provenance", "Task"},
    "notifications": {"Communication"},
}


@pytest.mark.timeout(900)
async def test_every_reference_to_the_directory_resolves_where_it_stands(clinic: TestClinic) -> None:
    await play(clinic, *range(1, 13))
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


@pytest.mark.timeout(900)
async def test_no_reference_to_a_patient_has_a_name(clinic: TestClinic) -> None:
    await play(clinic, 1, 5, 8)
    patients = [
        reference
        for service in RENDERED
        for resource in await _rendered(clinic, service)
        for reference in _references(resource)
        if parse(reference).type == "Patient"
    ]
    assert len(patients) > 30
    assert [reference for reference in patients if "display" in reference] == []


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
