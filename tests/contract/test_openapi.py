"""The OpenAPI documents and their pages: valid, complete, with scopes, refusals and examples."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
import schemathesis
from fastapi.routing import iter_route_contexts

from deploy.gateway import Gateway
from deploy.gateway.replicas import Replicas
from deploy.services import SERVICES
from shared.errors import Refusal
from shared.fhir import check
from shared.http.errors import FHIR_JSON
from shared.http.guard import guard_of
from tests.support.clinic import TestClinic

# What only a worker refuses.
NEVER_ANSWERED = {"MessageEnded"}
OPERATION = tuple[str, str, dict[str, Any]]


@pytest.fixture
def documents(clinic: TestClinic) -> dict[str, dict[str, Any]]:
    """The document of each service."""
    apps = clinic.app.state.apps
    return {service: msgspec.json.decode(app.state.openapi()) for service, app in apps.items()}


def operations(document: dict[str, Any]) -> Iterator[OPERATION]:
    """Walk method, path and operation of a document."""
    for path, found in document["paths"].items():
        for method, operation in found.items():
            yield method.upper(), path, operation


def refusals(of: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    """Walk every class of refusals."""
    for kind in of.__subclasses__():
        yield kind
        yield from refusals(kind)


async def test_each_document_and_that_of_the_clinic_is_valid_openapi_3_1(
    clinic: TestClinic, documents: dict[str, dict[str, Any]]
) -> None:
    whole = (await clinic.anonymous().get("/openapi.json")).json()
    for document in (*documents.values(), whole):
        assert document["openapi"] == "3.1.0"
        schemathesis.openapi.from_dict(document).validate()
        ids = [operation["operationId"] for _, _, operation in operations(document)]
        assert len(ids) == len(set(ids))


async def test_a_service_answers_its_document_and_the_clinic_all_of_them_under_their_mounts(
    clinic: TestClinic, documents: dict[str, dict[str, Any]]
) -> None:
    http = clinic.anonymous()
    for service, document in documents.items():
        assert (await http.get(f"/{service}/openapi.json")).json() == document
    whole = (await http.get("/openapi.json")).json()
    wanted = {f"/{service}{path}" for service, document in documents.items() for path in document["paths"]}
    assert set(whole["paths"]) == wanted
    scopes = whole["components"]["securitySchemes"]["smart"]["flows"]["clientCredentials"]["scopes"]
    assert {"system/ServiceRequest.c", "system/Slot.s", "system/CarePlan.u", "system/Communication.r"} <= set(
        scopes
    )


def test_each_guarded_route_names_its_scope_its_rows_and_who_is_refused(
    clinic: TestClinic, documents: dict[str, dict[str, Any]]
) -> None:
    for service, app in clinic.app.state.apps.items():
        for route in iter_route_contexts(app.routes):
            guard = guard_of(route)
            if guard is None or guard.interaction is None:
                continue
            for method in route.methods or ():
                operation = documents[service]["paths"][route.path_format][method.lower()]
                assert {"smart": [f"system/{guard.scope}"]} in operation["security"]
                assert guard.rows in operation["description"]
                assert {"401", "403", "503"} <= set(operation["responses"])
                assert operation["summary"]


def test_each_refusal_of_a_service_stands_in_its_document(documents: dict[str, dict[str, Any]]) -> None:
    for service in SERVICES:
        own = {kind for kind in refusals() if kind.__module__.startswith(f"services.{service}.")}
        told = str(documents[service])
        missing = {kind.__name__ for kind in own if f"{kind.__name__}: " not in told}
        assert missing <= NEVER_ANSWERED, service


async def test_each_body_that_is_taken_has_an_example_that_is_fhir(
    documents: dict[str, dict[str, Any]],
) -> None:
    for service, document in documents.items():
        for method, path, operation in operations(document):
            if method not in ("POST", "PUT") or path.endswith("/_search") or not path.startswith("/fhir"):
                continue
            content = operation["requestBody"]["content"][FHIR_JSON]
            assert "example" in content, f"{service} {method} {path}"
            received = await check.receive(msgspec.json.encode(content["example"]), allowed=None)
            named = re.match(r"^/fhir/([A-Z]\w+)(/\{id\})?$", path)
            assert named is None or received.resource_type == named[1], f"{service} {method} {path}"


async def test_the_example_of_a_referral_is_taken(
    clinic: TestClinic, documents: dict[str, dict[str, Any]]
) -> None:
    body = documents["referral"]["paths"]["/fhir/ServiceRequest"]["post"]["requestBody"]
    example = msgspec.json.encode(body["content"][FHIR_JSON]["example"])
    headers = {"content-type": FHIR_JSON}
    practice = clinic.as_("family-practice")
    answer = await practice.post("/referral/fhir/ServiceRequest", content=example, headers=headers)
    assert answer.status_code == 201, answer.text


class ByTarget(httpx.ASGITransport):
    """Asks an app for the target that the gateway sends."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(raw_path=request.extensions["target"])
        return await super().handle_async_request(request)


class TestPages:
    @pytest.mark.parametrize("at", ["", *(f"/{service}" for service in SERVICES)])
    async def test_bring_every_script_from_here_and_may_load_nothing_else(
        self, clinic: TestClinic, at: str
    ) -> None:
        http = clinic.anonymous()
        page = await http.get(f"{at}/docs")
        assert page.status_code == 200
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "//" not in page.text.replace("<!doctype html>", "")
        named = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert len(named) == 3
        for file in named:
            answer = await http.get(f"{at}/{file}")
            assert answer.status_code == 200, file
            assert answer.headers["content-type"].partition(";")[0] in ("text/javascript", "text/css")
        assert (await http.get(f"{at}/docs/core.py")).status_code == 404

    async def test_are_the_gateways_too_which_joins_what_the_services_say(self, clinic: TestClinic) -> None:
        behind = ByTarget(clinic.app)
        parts = {part: Replicas(["http://one:1"], transport=behind) for part in (*SERVICES, "issuer")}
        transport = httpx.ASGITransport(Gateway(parts))
        async with httpx.AsyncClient(transport=transport, base_url="http://clinic.test") as http:
            assert (await http.get("/openapi.json")).json() == (
                await clinic.anonymous().get("/openapi.json")
            ).json()
            assert "docs/start.js" in (await http.get("/docs")).text
            assert (await http.get("/docs/swagger-ui.css")).status_code == 200
            assert (await http.get("/docs/nothing")).headers["content-type"] == FHIR_JSON

    async def test_of_a_gateway_have_no_document_while_a_service_is_away(self) -> None:
        def away(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("refused", request=request)

        parts = {"referral": Replicas(["http://one:1"], transport=httpx.MockTransport(away))}
        transport = httpx.ASGITransport(Gateway(parts))
        async with httpx.AsyncClient(transport=transport, base_url="http://clinic.test") as http:
            answer = await http.get("/openapi.json")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
