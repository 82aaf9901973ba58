"""The one ASGI middleware of a service: request id, server span, request figures, and the last net.

Invariants:
- The span and the figures are named by the route's template, never by the path or the query.
- A request id from outside is taken only where it looks like an id; else it could carry a name into events.
- An error that nobody expected is answered once, with an id; where the answer had begun, the connection ends.
"""

import re
from collections.abc import Awaitable, Callable

from opentelemetry.trace import Span, StatusCode
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import failpoints
from shared.clock import monotonic
from shared.ids import new_text_id
from shared.telemetry import metrics, tracing

_AN_ID = re.compile(r"^(?=.*[0-9])[0-9a-fA-F-]{8,64}$")

Fail = Callable[[Request, Exception], Awaitable[ASGIApp]]


class RequestMiddleware:
    """Wraps every request and every answer of a service."""

    def __init__(self, app: ASGIApp, *, service: str, fail: Fail) -> None:
        self._app = app
        self._service = service
        self._fail = fail

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        scope.setdefault("state", {})["request_id"] = request_id = _request_id(headers)
        answering = _Answering(send, request_id)
        started = monotonic()
        with tracing.server_span(headers.get("traceparent")) as span:
            try:
                await self._answer(scope, receive, answering)
                if scope["method"] not in ("GET", "HEAD"):
                    failpoints.reach("answered")
            finally:
                route = _template(scope)
                _name(span, self._service, scope["method"], route, answering.status)
                metrics.request_answered(
                    service=self._service,
                    method=scope["method"],
                    route=route,
                    status=answering.status,
                    seconds=monotonic() - started,
                )

    async def _answer(self, scope: Scope, receive: Receive, answering: "_Answering") -> None:
        try:
            await self._app(scope, receive, answering)
        except Exception as error:
            if answering.begun:
                raise
            response = await self._fail(Request(scope, receive), error)
            await response(scope, receive, answering)


class _Answering:
    """A `send` that adds the request id and remembers the status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id.encode()
        self.begun = False
        self.status = 500

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            self.status = message["status"]
            message = {**message, "headers": [*message["headers"], (b"x-request-id", self._request_id)]}
        await self._send(message)


def _request_id(headers: Headers) -> str:
    sent = headers.get("x-request-id", "")
    return sent if _AN_ID.match(sent) else new_text_id()


def _template(scope: Scope) -> str:
    found = getattr(scope.get("route"), "path", None)
    return found if isinstance(found, str) else "unknown"


def _name(span: Span, service: str, method: str, route: str, status: int) -> None:
    if not span.is_recording():
        return
    span.update_name(f"{service} {method if method in metrics.METHODS else 'other'} {route}")
    span.set_attributes({"http.route": route, "http.response.status_code": status, "service": service})
    if status >= 500:
        span.set_status(StatusCode.ERROR)
