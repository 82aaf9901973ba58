"""The compiled validators against the two slower readings: our own walk, and the library's models.

Each shard mutates its own resources from its own seed; together they are 20,000. A resource that the compiled
validators take is right for both others. They may doubt what is right, but seldom: it would only cost time.
"""

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from shared.errors import Problem, Refusal
from shared.fhir.check import limits, offload, quick, steps
from shared.fhir.check.schema import shape_of
from tests.contract.fhir.mutations import mutated, written
from tests.unit.fhir.problems import PATIENT
from tests.unit.fhir.seeds import RESOURCES

SEED = 20_261_122
SHARDS = 8
EACH = 2_500
EXAMPLE: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "examples" / "referral.json").read_text(encoding="utf-8")
)
# A Bundle is long and mostly its entries: they stand alone too, so that more mutations hit what matters.
ENTRIES = [entry["resource"] for entry in EXAMPLE["entry"]]
SEEDS = [*RESOURCES, *ENTRIES, EXAMPLE]


def problems_of(body: bytes) -> list[Problem]:
    """Read a body the slow way only."""
    try:
        return steps.problems_of(limits.decoded(body))
    except Refusal as refusal:
        return list(refusal.problems) or [Problem(text=str(refusal))]


def refused_by_library(body: bytes) -> str | None:
    """Say why fhir.resources refuses a body, or None; it wants version 4 of each UUID, R4 any version."""
    data = json.loads(body)
    try:
        get_fhir_model_class(data.get("resourceType", ""))(**data)
    except ValidationError as error:
        wrong = [one for one in error.errors() if one["type"] != "uuid_version"]
        return str(wrong)[:2000] if wrong else None
    except (ValueError, KeyError, AttributeError) as error:
        return str(error)[:2000]
    return None


@pytest.mark.parametrize("shard", range(SHARDS))
def test_of_20_000_mutated_resources_none_is_taken_that_the_slow_way_or_the_library_refuses(
    shard: int,
) -> None:
    chance = random.Random(SEED + shard)
    taken = doubted = 0
    for number in range(EACH):
        body = written(mutated(chance.choice(SEEDS), chance, grafts=SEEDS), chance)
        found = problems_of(body)
        try:
            accepted = offload.warm().accepts(body, limits.parsed(body))
        except Refusal:
            accepted = False
        if accepted:
            where = f"seed {SEED + shard}, mutation {number}: {body.decode()}"
            assert not found, f"{found[0]} in {where}"
            assert not refused_by_library(body), where
        taken += accepted
        doubted += not found and not accepted
    assert taken > EACH / 20, "too few mutations stay right for the test to say anything"
    assert doubted < taken / 5, f"seed {SEED + shard}: {doubted} right resources were doubted, {taken} taken"


@pytest.mark.parametrize("resource", SEEDS, ids=lambda seed: str(seed["resourceType"]))
def test_what_is_right_is_taken_at_once(resource: dict[str, Any]) -> None:
    nulls = "null" in json.dumps(resource)
    assert accepts(resource) is not nulls


@pytest.mark.parametrize(
    "member", [{"birthDate": "2024-02-29"}, {"_birthDate": {"id": "x"}}, {"name": [{"text": "a\\u0041"}]}]
)
def test_what_is_right_passes_whoever_decides(member: dict[str, Any]) -> None:
    body = json.dumps(PATIENT | member).encode()
    assert problems_of(body) == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"resourceType":"Patient","active":true,"active":true}',
        b'{"resourceType":"Patient","active":true,"active" : true}',
        b'{"resourceType":"Patient","gender":"male","name":[{"text":"a\\u003a","text":"b:"}]}',
        b'{"resourceType":"Patient","name":[{"text":"\\u0007"}]}',
        b'{"resourceType":"Patient","name":[{"text":"\\b"}]}',
        b'{"resourceType":"Patient","name":[{ }]}',
        b'{"resourceType":"Patient","\\u0065xtension":[{"url":"u"}]}',
        b'{"resourceType":"Patient","active":true,"\\u005factive":{"extension":[{"url":"u"}]}}',
    ],
)
def test_what_no_struct_sees_is_left_to_the_slow_way(body: bytes) -> None:
    assert not offload.warm().accepts(body, limits.parsed(body))
    assert problems_of(body)


def test_what_the_walk_passes_by_is_flat() -> None:
    doors = offload.warm()
    for plans in (doors._plain, doors._extended):
        assert max(depth_passed_by(plans, name) for name in plans) <= quick.PASSED_BY_DEPTH


def depth_passed_by(plans: Mapping[str, Any], name: str) -> int:
    """Give how deep an element may nest through members that the walk does not follow."""
    passed = [
        member
        for member in shape_of(name).members.values()
        if not member.primitive and member.type != "Extension" and member.name not in plans[name].inner
    ]
    return max((2 + depth_passed_by(plans, member.type) for member in passed), default=0)


def accepts(resource: dict[str, Any]) -> bool:
    """Ask the compiled validators alone."""
    body = json.dumps(resource).encode()
    return offload.warm().accepts(body, limits.parsed(body))
