"""The outermost app of a process: its routes, gzip, other origins, and the OperationOutcome of no route.

Streams of server-sent events are not compressed, because each event leaves as it comes, and no Binary is,
because ranges of its bytes are asked for.

Invariant: it imports no FastAPI, because a worker, which answers nothing but its health, is served by it too.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from shared.errors import NotFound, Refusal
from shared.http.errors import as_refusal, refusal_answer
from shared.ids import new_text_id

# What is smaller than a packet gains nothing; level 1 costs a third of level 9 and leaves a tenth more.
_SMALL, _QUICK = 1000, 1
_SENT = (
    *("Accept", "Authorization", "Content-Encoding", "Content-Type", "Idempotency-Key", "If-Match"),
    *("If-Modified-Since", "If-None-Exist", "If-None-Match", "Last-Event-ID", "Prefer", "X-Request-Id"),
)
_READ = ("ETag", "Last-Modified", "Location", "Retry-After", "X-Request-Id", "Idempotent-Replayed")
Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def outermost(
    routes: Sequence[BaseRoute], *, lifespan: Lifespan | None = None, origins: Sequence[str] = ()
) -> Starlette:
    """Make the app; an address with a slash too many or too few is no address of it.

    Pages of these `origins` may call it (CORS); without any, the headers of other origins mean nothing.
    """
    middleware = [Middleware(_Compression, minimum_size=_SMALL, compresslevel=_QUICK)]
    if origins:
        middleware.insert(0, _other_origins(origins))
    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=middleware,
        exception_handlers={HTTPException: _refuse, Refusal: _refuse},
    )
    app.router.redirect_slashes = False
    return app


class _Compression(GZipMiddleware):
    """Compresses what is not an attachment."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "/fhir/Binary/" in scope.get("path", ""):
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _other_origins(origins: Sequence[str]) -> Middleware:
    """Let pages of these origins call with a token; cookies are nobody's here."""
    return Middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        allow_headers=_SENT,
        expose_headers=_READ,
        max_age=3600,
    )


async def _refuse(_: Request, error: Exception) -> Response:
    headers = error.headers if isinstance(error, HTTPException) else None
    return refusal_answer(as_refusal(error) or NotFound(), request_id=new_text_id(), headers=headers)
