"""The pages at `/docs`: Swagger UI out of an installed package, over the OpenAPI document beside them.

Invariants:
- Every script and style is served by this process; the page may load nothing from anywhere else.
- The page names its files relative to itself, so it is the same under every mount and for the whole clinic.
- It imports no FastAPI: the gateway serves it too.
"""

from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse, HTMLResponse, Response

from shared.errors import NotFound

_FROM_PACKAGE = ("swagger-ui-bundle.js", "swagger-ui.css")
_START = 'SwaggerUIBundle({url: "openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null})\n'
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title><link rel="stylesheet" href="docs/swagger-ui.css"></head>
<body>
<div id="docs"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""


def page(title: str) -> Response:
    """Give the page that shows the document `openapi.json` beside it."""
    return HTMLResponse(_PAGE.format(title=escape(title)), headers=_HEADERS)


def found(name: str) -> Response:
    """Give a script or style of the page; raises NotFound for any other name."""
    if name == "start.js":
        return Response(_START, media_type="text/javascript", headers=_HEADERS)
    if name in _FROM_PACKAGE:
        return FileResponse(_folder() / name, headers=_HEADERS)
    raise NotFound("there is nothing at this address")


def joined(documents: Mapping[str, Mapping[str, Any]], *, title: str) -> dict[str, Any]:
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
    return {**whole, "info": {**whole["info"], "title": title}, "servers": [{"url": "/"}]}


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


@cache
def _folder() -> Path:
    """Find the package's files without running any of its code."""
    spec = find_spec("fastapi_offline")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package fastapi-offline, which has the pages' scripts")
    return Path(spec.submodule_search_locations[0]) / "static"
