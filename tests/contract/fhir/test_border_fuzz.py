"""Whatever the bytes, the border takes or refuses; and it takes nothing that the library's models refuse.

The mutations start from small resources written here, so that the tests need no files.
"""

import json
import random
from collections.abc import Iterator
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.errors import Refusal
from shared.fhir import check
from shared.fhir.check import limits, steps
from tests.unit.fhir.seeds import BUNDLE, RESOURCES

VALUES: list[Any] = [
    None, True, False, 0, -1, 1.5, 2**40, "", " ", "x", "#x", "Patient/1", "2020-02-30", "a\x00b", [], [None],
    [[]], {}, {"x": 1}, {"reference": 1}, {"resourceType": []}, {"resourceType": "Bundle", "entry": 1},
]  # fmt: skip
NAMES = [
    "",
    "_",
    "_id",
    "id",
    "value",
    "valueString",
    "_value",
    "resourceType",
    "extension",
    "contained",
    "$",
]


def mutated(resource: Any, chance: random.Random) -> Any:
    """Change one to three places of a resource."""
    copy = json.loads(json.dumps(resource))
    for _ in range(chance.randint(1, 3)):
        holders = list(_holders(copy))
        _change(chance.choice(holders), chance)
    return copy


def _holders(node: Any) -> Iterator[Any]:
    if isinstance(node, dict | list):
        yield node
        for child in node.values() if isinstance(node, dict) else node:
            yield from _holders(child)


def _change(holder: Any, chance: random.Random) -> None:
    value = json.loads(json.dumps(chance.choice(VALUES)))
    if isinstance(holder, list):
        if holder and chance.random() < 0.7:
            holder[chance.randrange(len(holder))] = value
        else:
            holder.append(value)
        return
    names = [*holder, *NAMES]
    name = chance.choice(names)
    how = chance.random()
    if how < 0.3:
        holder.pop(name, None)
    elif how < 0.4 and name in holder:
        holder[name + "x"] = holder.pop(name)
    elif how < 0.5 and name in holder:
        holder[name] = [holder[name]]
    else:
        holder[name] = value


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300))
async def test_any_bytes_are_taken_or_refused(body: bytes) -> None:
    await takes_or_refuses(body)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
async def test_a_resource_with_broken_bytes_is_taken_or_refused(data: st.DataObject) -> None:
    body = bytearray(json.dumps(data.draw(st.sampled_from(RESOURCES))).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    await takes_or_refuses(bytes(body))


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda part: (
            st.lists(part) | st.dictionaries(st.text() | st.sampled_from([*RESOURCES[0], *NAMES]), part)
        ),
        max_leaves=30,
    ),
    st.sampled_from([resource["resourceType"] for resource in RESOURCES]),
)
async def test_any_json_with_a_known_type_is_taken_or_refused(value: Any, name: str) -> None:
    members = value if isinstance(value, dict) else {"id": value}
    await takes_or_refuses(json.dumps({**members, "resourceType": name}).encode())


async def takes_or_refuses(body: bytes) -> None:
    """Receive a body; any exception but a Refusal fails the test."""
    try:
        received = await check.receive(body)
    except Refusal:
        return
    assert received.raw
    assert received.data["resourceType"] == received.resource_type


def test_20_000_mutations_never_fail_and_nothing_is_taken_that_the_library_refuses() -> None:
    chance = random.Random(20_260_105)
    taken = 0
    for round_number in range(20_000):
        resource = mutated(chance.choice(RESOURCES), chance)
        if not isinstance(resource, dict) or steps.problems_of(resource):
            continue
        taken += 1
        assert not refused_by_library(resource), f"mutation {round_number}: {resource}"
    assert 1_000 < taken < 19_000


def test_mutations_of_a_bundle_never_fail() -> None:
    chance = random.Random(7)
    for _ in range(2_000):
        steps.problems_of(mutated(BUNDLE, chance))


def refused_by_library(resource: dict[str, Any]) -> str | None:
    """Say why fhir.resources refuses a resource, or None."""
    copy = json.loads(json.dumps(resource))
    try:
        get_fhir_model_class(copy.get("resourceType", ""))(**copy)
    except (ValidationError, ValueError, KeyError, AttributeError) as error:
        return str(error)[:2000]
    return None


def test_the_known_resource_types_are_those_of_the_library() -> None:
    for name in ("Patient", "List", "SubscriptionTopic"):
        assert limits.is_resource_type(name)
    for name in ("Element", "Resource", "DomainResource", "Reference", "EffectEvidenceSynthesis"):
        assert not limits.is_resource_type(name)
