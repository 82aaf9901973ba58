"""A code that is searched by is one of a code system: without it a code of any other would match."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from deploy.services import SERVICES, room
from tests.architecture.test_every_route_is_guarded import runtime


def searches(app: FastAPI) -> Iterator[tuple[str, Any]]:
    """Give every search route with its endpoint."""
    for route in iter_route_contexts(app.routes):
        if getattr(route.endpoint, "search_params", None) and "GET" in (route.methods or ()):
            yield route.path_format or "", route.endpoint


@pytest.mark.parametrize("service", SERVICES)
def test_every_token_has_its_code_system(service: str) -> None:
    found = list(searches(room(service, "main").create_app(runtime(service))))
    assert found
    assert [
        f"{path}?{name}"
        for path, endpoint in found
        for name, param in endpoint.search_params.items()
        if param.kind in ("token", "coding") and param.system is None and param.matches is None
    ] == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_include_names_a_reference_that_is_searched_by_too(service: str) -> None:
    for path, endpoint in searches(room(service, "main").create_app(runtime(service))):
        for include in endpoint.search_includes if hasattr(endpoint, "search_includes") else ():
            kind, param, *_ = include.split(":")
            assert path.endswith(f"/{kind}")
            assert endpoint.search_params[param].kind == "reference", include
