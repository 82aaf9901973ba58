"""What every address under `/fhir` has in common, as one ASGI middleware in front of the routes.

Invariants:
- A trailing slash is no other address, and `POST /fhir/Bundle` is the base (R4 http.html 3.1.0.11).
- HEAD is the GET of the same address without its body: authorized, counted and audited as that.
- OPTIONS tells the methods of an address and nothing about anybody.
- Who takes no JSON is refused (406) before anything is done, unless a Binary is asked for.
"""

from collections.abc import Callable

from starlette.datastructures import Headers, QueryParams
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.preferences import check_acceptable

_BASE = "/fhir"
Methods = Callable[[str], list[str]]


class RestMiddleware:
    """Wraps the routes of a service; `methods` names the methods of a path, none where there is none."""

    def __init__(self, app: ASGIApp, *, methods: Methods) -> None:
        self._app = app
        self._methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        root = scope.get("root_path", "")
        path = scope["path"].removeprefix(root) if scope["type"] == "http" else ""
        if not _is_fhir(path):
            await self._app(scope, receive, send)
            return
        path = path.rstrip("/")
        if scope["method"] == "POST" and path == f"{_BASE}/Bundle":
            path = _BASE
        # The span, the figures and the audit read this scope: it stays the one that they have.
        scope["path"] = f"{root}{path}"
        method = scope["method"]
        if method == "OPTIONS" and (found := self._methods(path)):
            await Response(status_code=204, headers={"Allow": ", ".join(found)})(scope, receive, send)
            return
        # A Binary is given as what it is, and says itself what a HEAD of it is.
        is_binary = path.startswith(f"{_BASE}/Binary/")
        if not is_binary:
            check_acceptable(Headers(scope=scope), QueryParams(scope["query_string"]))
        if method != "HEAD" or is_binary:
            await self._app(scope, receive, send)
            return
        # The server sends no body for a HEAD as long as its own scope says so: the routes get a copy.
        as_get = {**scope, "method": "GET"}
        try:
            await self._app(as_get, receive, _without_body(send))
        finally:
            scope["route"] = as_get.get("route")


def _without_body(send: Send) -> Send:
    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head


def allowed(methods: set[str], path: str) -> list[str]:
    """Name the methods of an address as Allow has them: with those that this middleware adds to it."""
    if not methods or not _is_fhir(path):
        return sorted(methods)
    added = {"HEAD", "OPTIONS"} if "GET" in methods else {"OPTIONS"}
    return sorted(methods | added)


def _is_fhir(path: str) -> bool:
    return path == _BASE or path.startswith(f"{_BASE}/")
