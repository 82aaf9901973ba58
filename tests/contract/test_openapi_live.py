"""A running clinic is asked what its OpenAPI document offers, rightly and wrongly: no answer is astray.

A few cases for each operation, drawn from the same numbers in each run.
"""

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.referral.fhir.entries import ACCEPTED_TYPES
from tests.support.folders import open_folder
from tests.support.process import LumbarProcess, lumbar

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("a clinic that is asked")]

CASES = 2
# Whose token has the scopes of most operations of a service.
CALLERS = {
    "referral": "coordinator",
    "scheduling": "coordinator",
    "careteam": "physiotherapist",
    "notifications": "coordinator",
}
ENCLOSED = {*ACCEPTED_TYPES, "Composition"} - {"Patient", "ServiceRequest", "Condition"}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def clinic() -> Iterator[LumbarProcess]:
    """A running clinic."""
    with open_folder() as folder, LumbarProcess(folder / "data") as running:
        running.start()
        running.wait_until_ready()
        yield running
        running.stop()


@pytest.fixture(scope="module")
def tokens(clinic: LumbarProcess) -> dict[str, str]:
    """A token of each caller."""
    found = {}
    for client in set(CALLERS.values()):
        given = lumbar("token", client, LUMBAR_URL=clinic.url, LUMBAR_DATA=str(clinic.data))
        found[client] = given.stdout.strip()
    return found


@pytest.fixture(scope="module")
def document(clinic: LumbarProcess) -> dict[str, Any]:
    """What the clinic says of itself; the endless feed is left out."""
    found: dict[str, Any] = httpx.get(f"{clinic.url}/openapi.json").json()
    del found["paths"]["/notifications/feed"]
    return found


@pytest.mark.parametrize("service", CALLERS)
def test_no_answer_is_astray(
    service: str, clinic: LumbarProcess, tokens: dict[str, str], document: dict[str, Any]
) -> None:
    paths = {path: found for path, found in document["paths"].items() if _is_asked(service, path)}
    schema = schemathesis.openapi.from_dict({**document, "paths": paths})
    headers = {"Authorization": f"Bearer {tokens[CALLERS[service]]}"}
    for found in schema.get_all_operations():
        for mode in GenerationMode:
            _ask(found.ok(), mode, base_url=clinic.url, headers=headers)


def _is_asked(service: str, path: str) -> bool:
    """Of the types that a referral encloses, whose routes are the same, one stands for all."""
    named = re.match(rf"^/{service}/fhir/([A-Z]\w+)", path)
    return path.startswith(f"/{service}/") and (named is None or named[1] not in ENCLOSED)


def _ask(operation: Any, mode: GenerationMode, *, base_url: str, headers: dict[str, str]) -> None:
    @settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode))
    def ask(case: Case) -> None:
        case.call_and_validate(base_url=base_url, headers=headers, checks=CHECKS)

    with contextlib.suppress(Unsatisfiable):
        ask()
