"""Every route of every service asks for a scope and says in words which rows it reaches."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts

from deploy.services import SERVICES, room
from shared.auth.scopes import Scopes
from shared.clinic import load_clinic
from shared.clinic.current import CurrentClinic
from shared.clock import SystemClock
from shared.db import Database
from shared.http.app import create_app
from shared.http.authorize import authorize
from shared.http.guard import guard_of
from shared.http.request_context import RequestContext
from shared.runtime import Runtime

EXAMPLE = Path(__file__).parents[2] / "examples" / "clinic.yaml"
OPEN = {
    "/fhir/metadata",
    # Behind a secret that its holder has, and without a patient.
    "/calendars/{secret}",
    # Behind a secret and the birth date of the patient whose message it was.
    *(f"/links/${act}" for act in ("open", "answer", "intake", "choose", "calendar")),
    *(
        f"/fhir/{kind}{what}"
        for kind in ("OperationDefinition", "MessageDefinition", "CodeSystem")
        for what in ("", "/_search", "/{id}")
    ),
    "/openapi.json",
    "/docs",
    "/docs/{name}",
}


def runtime(service: str) -> Runtime:
    return Runtime(
        service=service,
        database=Database.connect("postgresql://nobody@127.0.0.1:1/nothing", name=service),
        clock=SystemClock(),
        current=CurrentClinic(load_clinic(EXAMPLE)),
        transport=None,  # type: ignore[arg-type]
        verifier=None,  # type: ignore[arg-type]
        base_url="http://clinic.test",
    )


def unguarded(app: FastAPI) -> Iterator[str]:
    """Name each route that is neither guarded nor known to be open."""
    for route in iter_route_contexts(app.routes):
        guard = guard_of(route)
        opened = guard is not None and guard.interaction is None
        if guard is None or not guard.rows.strip() or (opened and route.path not in OPEN):
            yield f"{sorted(route.methods or ())} {route.path}"


def scopes(app: FastAPI) -> set[tuple[str, str]]:
    guards = (guard_of(route) for route in iter_route_contexts(app.routes))
    return {(one.resource_type, one.interaction) for one in guards if one and one.interaction}


class TestEveryRoute:
    @pytest.mark.parametrize("service", SERVICES)
    def test_asks_for_a_scope_and_names_its_rows(self, service: str) -> None:
        app = room(service, "main").create_app(runtime(service))
        assert len(list(iter_route_contexts(app.routes))) > 5
        assert list(unguarded(app)) == []

    @pytest.mark.parametrize("service", SERVICES)
    def test_depends_on_its_guard_alone_and_on_nothing_where_it_is_included(self, service: str) -> None:
        app = room(service, "main").create_app(runtime(service))
        dependants = [getattr(route, "dependant", None) for route in iter_route_contexts(app.routes)]
        assert [len(one.dependencies) for one in dependants if one] == [1] * len(dependants)

    @pytest.mark.parametrize("service", SERVICES)
    def test_that_writes_asks_for_a_scope_that_some_client_has(self, service: str) -> None:
        app = room(service, "main").create_app(runtime(service))
        texts = [scope for client in load_clinic(EXAMPLE).clients for scope in client.scopes]
        held = Scopes.parse(texts)
        assert [scope for scope in scopes(app) if scope[1] in "cud" and not held.allow(*scope)] == []  # type: ignore[arg-type]

    def test_that_has_no_guard_or_no_rule_is_found(self) -> None:
        router = APIRouter()

        @router.get("/fhir/Bare")
        async def bare() -> dict[str, Any]:
            return {}

        @router.get("/fhir/Wordless")
        async def wordless(
            request: Annotated[RequestContext, authorize("Task", "r", rows=" ")],
        ) -> dict[str, Any]:
            return {}

        @router.get("/fhir/Guarded")
        async def guarded(
            request: Annotated[RequestContext, authorize("Task", "r", rows="its own")],
        ) -> dict[str, Any]:
            return {}

        app = create_app(runtime("toy"), title="Toy", routers=[router])
        assert list(unguarded(app)) == ["['GET'] /fhir/Bare", "['GET'] /fhir/Wordless"]
