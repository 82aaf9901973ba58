"""Every reason that the stories give can be said in French from its code and arguments."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from deploy import reasons
from shared.fhir import reason_codes
from shared.fhir.reasons import REASON_SYSTEM, reasons_of
from shared.reasons import AS_WRITTEN
from tests.journeys.stage import play
from tests.support.clinic import TestClinic
from tests.support.history import versions_of
from tests.support.sql import sql

# Codes that are told as they are: paths of elements, ids of rules, and a bound that there is not.
AS_THEY_ARE = {"members", "read", "rule", "highest"}


@pytest.mark.timeout(900)
async def test_every_reason_of_the_stories_has_the_arguments_that_its_code_declares(
    clinic: TestClinic,
) -> None:
    await play(clinic, *range(1, 13))
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
