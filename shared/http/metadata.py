"""GET /fhir/metadata: what this service can do, read from its routes, so it cannot say what is not there."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from fastapi import Depends, FastAPI
from fastapi.routing import iter_route_contexts
from starlette.responses import Response

from shared.clock import machine_now
from shared.fhir.instants import instant
from shared.fhir.operations import DEFINITION
from shared.http.body import PATCHES
from shared.http.errors import FHIR_JSON
from shared.http.guard import guard_of, open_to_all
from shared.http.resources import Readers
from shared.runtime import Runtime

# Its path, its method and its endpoint.
_Route = tuple[str, str, Any]
_RESOURCE = re.compile(r"^/fhir/(?P<type>[A-Z][A-Za-z]+)(?P<rest>/.*)?$")
_OPERATION = re.compile(r"^/fhir(/(?P<type>[A-Z][A-Za-z]+))?(/\{\w+\})?/\$(?P<name>[a-z-]+)$")
_TYPES = {"coding": "token", "tokens": "token"}
_INTERACTIONS = {
    ("GET", ""): "search-type",
    ("POST", ""): "create",
    ("GET", "/{id}"): "read",
    ("PUT", "/{id}"): "update",
    ("PATCH", "/{id}"): "patch",
    ("DELETE", "/{id}"): "delete",
    ("GET", "/{id}/_history"): "history-instance",
    ("GET", "/{id}/_history/{version}"): "vread",
}


def add_metadata(app: FastAPI, runtime: Runtime, *, title: str) -> None:
    """Add the route; the statement is made once, from the routes that stand now."""
    content = msgspec.json.encode(capability_statement(app, runtime, title=title))

    @app.get("/fhir/metadata", dependencies=[Depends(open_to_all("says what the server can do"))])
    async def metadata() -> Response:
        return Response(content, media_type=FHIR_JSON)


def capability_statement(app: FastAPI, runtime: Runtime, *, title: str) -> dict[str, Any]:
    """Render the CapabilityStatement of an app."""
    routes = list(_routes(app))
    rest: dict[str, Any] = {
        "mode": "server",
        "security": {
            "cors": runtime.cors,
            "service": [{"coding": [{"system": _SECURITY, "code": "SMART-on-FHIR"}]}],
            "description": "SMART Backend Services: private_key_jwt, scopes of version 2",
        },
        "resource": [resource for _, resource in sorted(_resources(routes, app.state.readers).items())],
    }
    whole = [_named(matched) for path, _, _ in routes if (matched := _of_all(path)) is not None]
    if whole:
        rest["operation"] = sorted(whole, key=lambda named: named["name"])
    if any(path == "/fhir" and method == "POST" for path, method, _ in routes):
        rest["interaction"] = [{"code": "transaction"}]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": instant(machine_now()),
        "kind": "instance",
        "software": {"name": title},
        "implementation": {"description": title, "url": runtime.fhir_base},
        "fhirVersion": "4.3.0",
        "format": [FHIR_JSON, "json"],
        "patchFormat": sorted(PATCHES),
        "rest": [rest],
        **_messaging(routes, runtime),
    }


def _messaging(routes: Sequence[_Route], runtime: Runtime) -> dict[str, Any]:
    """Name the messages that are taken, by the MessageDefinitions that the service publishes."""
    supported = [
        {"mode": "receiver", "definition": definition["url"]}
        for path, method, endpoint in routes
        if (path, method) == ("/fhir/MessageDefinition", "GET")
        for definition in endpoint.definitions()
        if definition["responseRequired"] == "always"
    ]
    if not supported:
        return {}
    coding = {"system": _PROTOCOL, "code": "http"}
    endpoint = {"protocol": coding, "address": f"{runtime.fhir_base}/$process-message"}
    return {"messaging": [{"endpoint": [endpoint], "supportedMessage": supported}]}


_PROTOCOL = "http://terminology.hl7.org/CodeSystem/message-transport"
_SECURITY = "http://terminology.hl7.org/CodeSystem/restful-security-service"


def _routes(app: FastAPI) -> Iterator[_Route]:
    for route in iter_route_contexts(app.routes):
        if guard_of(route) is not None:
            for method in sorted(route.methods or ()):
                yield route.path_format or "", method, route.endpoint


def _resources(routes: Sequence[_Route], readers: Readers) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for path, method, endpoint in routes:
        matched = _RESOURCE.match(path)
        if matched is None:
            continue
        resource = found.setdefault(matched["type"], {"type": matched["type"], "versioning": "versioned"})
        rest = matched["rest"] or ""
        if (method, rest) in _INTERACTIONS:
            resource.setdefault("interaction", []).append({"code": _INTERACTIONS[method, rest]})
        if (operation := _OPERATION.match(path)) is not None:
            _once(resource.setdefault("operation", []), _named(operation))
        for parameter in _parameters(endpoint):
            _once(resource.setdefault("searchParam", []), parameter)
        if (method, rest) == ("GET", "/{id}"):
            resource["conditionalRead"] = "full-support"
        includes = sorted(getattr(endpoint, "search_includes", ()))
        if includes:
            resource["searchInclude"] = includes
    for type_, resource in found.items():
        if reverses := sorted(readers.references_to(type_)):
            resource["searchRevInclude"] = reverses
    return found


def _parameters(endpoint: Any) -> list[dict[str, str]]:
    params = getattr(endpoint, "search_params", {}) | getattr(endpoint, "computed_params", {})
    return [
        {"name": name, "type": _TYPES.get(param.kind, param.kind)} for name, param in sorted(params.items())
    ]


def _of_all(path: str) -> re.Match[str] | None:
    matched = _OPERATION.match(path)
    return matched if matched is not None and matched["type"] is None else None


def _named(operation: re.Match[str]) -> dict[str, str]:
    name, of = operation["name"], operation["type"]
    return {"name": name, "definition": f"{DEFINITION}/{name if of is None else f'{of}-{name}'}"}


def _once(found: list[Any], value: Any) -> None:
    if value not in found:
        found.append(value)
