"""The OpenAPI 3.1 document of a service, made from its routes, so that it cannot say what is not there.

FastAPI knows paths, path parameters, docstrings and the refusals that routes declare; what a route does not
tell FastAPI, because it reads its body itself, is added here from its guard and its search parameters.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts
from starlette.responses import Response

from shared.auth.scopes import Interaction
from shared.http import docs
from shared.http.authorize import SCHEME
from shared.http.body import PATCHES
from shared.http.errors import FHIR_JSON
from shared.http.guard import Guard, guard_of, open_to_all
from shared.http.responses import DATE, SHARED, general_refusals, join, parameter, share, success
from shared.runtime import Runtime

Examples = Mapping[str, Any]
_TYPE = re.compile(r"^/fhir/([A-Z][A-Za-z]+)")
_FORM = "application/x-www-form-urlencoded"
_BEARER = "bearer"
_SEARCH_KINDS = {
    "token": "a code or `system|code`; several with `,`",
    "coding": "a code or `system|code`; several with `,`",
    "tokens": "an identifier: `system|value`, or the value alone",
    "reference": "`Type/id`, or the id alone",
    "date": DATE,
    "string": "how the text begins, without case and accents",
}
_PAGING = {
    "_id": "the id of one resource",
    "_lastUpdated": DATE,
    "_count": "resources on a page; 50 unless said, at most 200",
    "_sort": "a search parameter or `_lastUpdated`, with `-` before it for the newest first",
    "_total": "`none`, `estimate` or `accurate`, which it is unless `none` is said",
    "_summary": "`true`, `text`, `data`, `count` or `false`",
    "_elements": "elements of the matches, with `,` between them",
}
_COMPUTED = {
    **{name: _PAGING[name] for name in ("_id", "_total", "_summary", "_elements")},
    "_count": "resources on a page, at most 200; all at once unless said",
}
_VERBS: Mapping[Interaction, str] = {"r": "Read", "s": "Search", "c": "Create", "u": "Change", "d": "Delete"}
_SCHEMAS = {
    "Resource": {
        "type": "object",
        "required": ["resourceType"],
        "properties": {"resourceType": {"type": "string"}},
    },
    "OperationOutcome": {
        "type": "object",
        "required": ["resourceType", "issue"],
        "properties": {
            "resourceType": {"const": "OperationOutcome"},
            "issue": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["severity", "code", "details"],
                    "properties": {
                        "severity": {"enum": ["fatal", "error", "warning", "information"]},
                        "code": {"type": "string"},
                        "details": {"type": "object", "properties": {"text": {"type": "string"}}},
                        "expression": {"type": "array", "items": {"type": "string"}},
                    },
                },
            },
        },
    },
}


def add_documents(app: FastAPI, runtime: Runtime, *, title: str, examples: Examples) -> None:
    """Add `GET /openapi.json` and the pages at `/docs`; the document is made when it is first asked for."""
    known: list[bytes] = []
    openly = [Depends(open_to_all("says how the API is used"))]

    def content() -> bytes:
        if not known:
            made = document(
                app, title=title, base_url=runtime.base_url, service=runtime.service, examples=examples
            )
            known.append(msgspec.json.encode(made))
        return known[0]

    @app.get("/openapi.json", dependencies=openly, include_in_schema=False)
    async def openapi() -> Response:
        return Response(content(), media_type="application/json")

    @app.get("/docs", dependencies=openly, include_in_schema=False)
    async def pages() -> Response:
        return docs.page(title)

    @app.get("/docs/{name}", dependencies=openly, include_in_schema=False)
    async def file(name: str) -> Response:
        return docs.found(name)

    app.state.openapi = content


def document(app: FastAPI, *, title: str, base_url: str, service: str, examples: Examples) -> dict[str, Any]:
    """Make the document; `examples` are bodies by `METHOD /path`."""
    made: dict[str, Any] = get_openapi(
        title=title,
        version=app.version,
        openapi_version="3.1.0",
        description="FHIR R4 at the border. Get a token from `/auth/token`, or with `lumbar token`.",
        routes=app.routes,
        servers=[{"url": f"/{service}"}],
    )
    scopes: dict[str, str] = {}
    for route, method, guard in _operations(app):
        path = str(route.path_format)
        operation = made["paths"][path][method.lower()]
        _describe(operation, guard=guard, method=method, path=path, endpoint=route.endpoint)
        if method in ("POST", "PUT", "PATCH") and not guard.names_no_resource:
            body = _body(method, path, examples.get(f"{method} {path}"))
            declared = operation.get("requestBody", {}).get("content", {})
            operation["requestBody"] = {**body, "content": body["content"] | declared}
        if guard.interaction is not None:
            scopes[f"system/{guard.scope}"] = f"{_VERBS[guard.interaction].lower()} {guard.resource_type}"
    made["components"] = {
        "schemas": _SCHEMAS,
        "responses": SHARED,
        "securitySchemes": _schemes(scopes, base_url),
    }
    return made


def _operations(app: FastAPI) -> Iterator[tuple[Any, str, Guard]]:
    for route in iter_route_contexts(app.routes):
        guard = guard_of(route)
        if guard is not None and getattr(route, "include_in_schema", False):
            for method in sorted(route.methods or ()):
                yield route, method, guard


def _describe(operation: dict[str, Any], *, guard: Guard, method: str, path: str, endpoint: Any) -> None:
    told = (endpoint.__doc__ or "").strip().splitlines()
    resource_type = guard.resource_type or "capabilities"
    named = _TYPE.match(path)
    operation["tags"] = [named[1] if named else resource_type]
    operation["summary"] = told[0].rstrip(".") if told else _summary(guard, path)
    rows = guard.rows if guard.interaction is None else f"Scope `{guard.scope}`. Rows: {guard.rows}."
    operation["description"] = "\n\n".join([*([operation["description"]] if told else []), rows])
    declared = {
        status: response
        for status, response in operation["responses"].items()
        if FHIR_JSON in response.get("content", ())
    }
    general = general_refusals(guard, method=method, path=path)
    operation["responses"] = share(join(success(guard, path=path), general, declared))
    parameters = [
        *operation.get("parameters", ()),
        *_query(endpoint, path),
        *_headers(guard, method, endpoint),
    ]
    if parameters:
        operation["parameters"] = parameters
    if guard.interaction is not None:
        operation["security"] = [{SCHEME: [f"system/{guard.scope}"]}, {_BEARER: []}]


def _summary(guard: Guard, path: str) -> str:
    if path.endswith("/_history"):
        return f"List the versions of one {guard.resource_type}"
    if path.endswith("/{version}"):
        return f"Read one version of one {guard.resource_type}"
    return f"{_VERBS[guard.interaction or 'r']} {guard.resource_type}"


def _query(endpoint: Any, path: str) -> Iterator[dict[str, Any]]:
    params = getattr(endpoint, "search_params", None)
    computed = getattr(endpoint, "computed_params", None)
    if path.endswith("/_search"):
        return
    told = {}
    if params is not None:
        told = {name: _SEARCH_KINDS[param.kind] for name, param in sorted(params.items())} | _PAGING
    elif computed is not None:
        told = {name: param.text for name, param in computed.items()} | _COMPUTED
    yield from (parameter(name, text) for name, text in told.items())


def _headers(guard: Guard, method: str, endpoint: Any) -> Iterator[dict[str, Any]]:
    text = {"type": "string"}
    if_said = getattr(endpoint, "matches_if_said", False)
    if method in ("PUT", "PATCH") or if_said:
        version = 'the version that is changed: `W/"3"`'
        needed = not if_said
        yield {"name": "If-Match", "in": "header", "required": needed, "description": version, "schema": text}
    if method in ("POST", "PUT", "PATCH") and guard.interaction != "s":
        same = "the same key with the same body gives the same answer, for seven days"
        key = {**text, "maxLength": 255}
        yield {"name": "Idempotency-Key", "in": "header", "description": same, "schema": key}


def _body(method: str, path: str, example: Any) -> dict[str, Any]:
    if method == "PATCH":
        kinds: dict[str, Any] = {kind: {"schema": {"type": ["object", "array"]}} for kind in PATCHES}
        return {"required": True, "content": kinds | {PATCHES[0]: {**kinds[PATCHES[0]], "example": example}}}
    if path.endswith("/_search"):
        return {
            "content": {_FORM: {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}}
        }
    content: dict[str, Any] = {"schema": {"$ref": "#/components/schemas/Resource"}}
    if example is not None:
        content["example"] = example
    return {"required": "$" not in path, "content": {FHIR_JSON: content}}


def _schemes(scopes: Mapping[str, str], base_url: str) -> dict[str, Any]:
    flow = {"tokenUrl": f"{base_url}/auth/token", "scopes": dict(sorted(scopes.items()))}
    return {
        SCHEME: {
            "type": "oauth2",
            "description": "SMART Backend Services (`private_key_jwt`); people have `user/` for `system/`",
            "flows": {"clientCredentials": flow},
        },
        _BEARER: {"type": "http", "scheme": "bearer", "description": "what `lumbar token CLIENT` prints"},
    }
