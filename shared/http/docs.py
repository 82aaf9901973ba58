"""The pages at `/docs`: Swagger UI out of an installed package, over the OpenAPI document beside them.

Invariants:
- Every script and style is served by this process; the page may load nothing from anywhere else.
- The page names its files relative to itself, so it is the same under every mount and for the whole clinic.
- It imports no FastAPI: the gateway serves it too.
"""

from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path

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


@cache
def _folder() -> Path:
    """Find the package's files without running any of its code."""
    spec = find_spec("fastapi_offline")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package fastapi-offline, which has the pages' scripts")
    return Path(spec.submodule_search_locations[0]) / "static"
