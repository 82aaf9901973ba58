"""Whatever the bytes, the border takes or refuses."""

import json
import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import Refusal
from shared.fhir import check
from shared.fhir.check import limits, steps
from tests.contract.fhir.mutations import NAMES, mutated
from tests.unit.fhir.seeds import BUNDLE, RESOURCES


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


def test_mutations_of_a_bundle_never_fail() -> None:
    chance = random.Random(7)
    for _ in range(2_000):
        steps.problems_of(mutated(BUNDLE, chance))


def test_the_known_resource_types_are_those_of_the_library() -> None:
    for name in ("Patient", "List", "SubscriptionTopic"):
        assert limits.is_resource_type(name)
    for name in ("Element", "Resource", "DomainResource", "Reference", "EffectEvidenceSynthesis"):
        assert not limits.is_resource_type(name)
