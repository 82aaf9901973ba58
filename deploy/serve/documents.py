"""The clinic's own `/openapi.json` and `/docs`: the documents of all services in one.

Invariants:
- They stand among the first routes of a process, before anything that is mounted at `/`.
- No FastAPI is imported here: the gateway, which joins what others say, uses this too.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.http import docs

if TYPE_CHECKING:
    from fastapi import FastAPI

TITLE = "Lumbar"


def document_routes(apps: Mapping[str, "FastAPI"]) -> list[Route]:
    """Give the routes of a process that serves these apps, each under its name."""

    async def openapi(_: Request) -> Response:
        documents = {service: msgspec.json.decode(app.state.openapi()) for service, app in apps.items()}
        return Response(joined(documents), media_type="application/json")

    return [Route("/openapi.json", openapi), Route("/docs", _page), Route("/docs/{name}", _file)]


async def _page(_: Request) -> Response:
    return docs.page(TITLE)


async def _file(request: Request) -> Response:
    return docs.found(request.path_params["name"])


def joined(documents: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Join the documents of several services, each mounted under its name, into one of the clinic."""
    components: dict[str, Any] = {"schemas": {}, "responses": {}, "securitySchemes": {}}
    whole: dict[str, Any] = {"paths": {}, "components": components}
    for service, document in documents.items():
        whole = {**document, "paths": whole["paths"], "components": whole["components"]}
        for path, operations in document["paths"].items():
            whole["paths"][f"/{service}{path}"] = {
                method: _of(service, operation) for method, operation in operations.items()
            }
        for kind in ("schemas", "responses"):
            components[kind] |= document["components"][kind]
        _add_schemes(components["securitySchemes"], document["components"]["securitySchemes"])
    whole |= {"info": {**whole["info"], "title": TITLE}, "servers": [{"url": "/"}]}
    return msgspec.json.encode(whole)


def _of(service: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    tags = [f"{service}: {tag}" for tag in operation["tags"]]
    return {**operation, "tags": tags, "operationId": f"{service}_{operation['operationId']}"}


def _add_schemes(known: dict[str, Any], added: Mapping[str, Any]) -> None:
    """Add security schemes; scopes of the same scheme are put together."""
    for name, scheme in added.items():
        scopes = known.get(name, {}).get("flows", {}).get("clientCredentials", {}).get("scopes", {})
        known[name] = {**scheme}
        if "flows" in scheme:
            flow = scheme["flows"]["clientCredentials"]
            known[name]["flows"] = {"clientCredentials": {**flow, "scopes": {**scopes, **flow["scopes"]}}}
