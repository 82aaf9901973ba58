"""An address or a method that nobody answers is an OperationOutcome, whoever is asked."""

import httpx
import pytest
from starlette.types import ASGIApp

from deploy.gateway import Gateway
from deploy.serve.health import health_routes
from deploy.serve.outermost import outermost
from tests.support.clinic import TestClinic

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NOWHERE = (
    "/",
    "/nothing",
    "/referral",
    "/referral/",
    "/referral/nothing",
    "/referral/fhir/Nothing",
    "/referral/fhir/Nothing/",
    "/referral/fhir/Nothing/7/$do",
    "/healthz/",
    "/auth/nothing",
    "/.well-known/nothing",
)
# What is there, and a method that it has not.
OTHERWISE = (
    ("POST", "/healthz"),
    ("OPTIONS", "/metrics"),
    ("GET", "/auth/token"),
    ("OPTIONS", "/auth/token"),
    ("DELETE", "/referral/fhir/metadata"),
    ("HEAD", "/referral/fhir"),
    ("GET", "/referral/fhir/"),
    ("PATCH", "/careteam/fhir/Task/7"),
    ("HEAD", "/referral/analytics/waits"),
    ("OPTIONS", "/referral/openapi.json"),
)


async def expect(app: ASGIApp, method: str, path: str, status: int) -> None:
    """Expect an OperationOutcome with this status."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://here.test") as http:
        answer = await http.request(method, path)
    assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
    assert answer.headers["content-type"] == "application/fhir+json", f"{method} {path}"
    assert answer.headers["cache-control"] == "no-store"
    if method != "HEAD":
        assert answer.json()["resourceType"] == "OperationOutcome"
    if status == 405:
        assert answer.headers["allow"]
        assert method not in answer.headers["allow"].split(", ")


async def test_an_unknown_address_of_the_embedded_clinic_is_an_outcome(clinic: TestClinic) -> None:
    for path in NOWHERE:
        for method in METHODS:
            await expect(clinic.app, method, path, 404)


async def test_another_method_than_an_address_has_is_an_outcome_that_names_those_it_has(
    clinic: TestClinic,
) -> None:
    for method, path in OTHERWISE:
        await expect(clinic.app, method, path, 405)


@pytest.mark.parametrize("method", METHODS)
async def test_a_process_of_the_distributed_shape_answers_the_same(method: str) -> None:
    await expect(outermost(health_routes({}, workers={})), method, "/nothing", 404)
    await expect(Gateway({}), method, "/nothing", 404)
