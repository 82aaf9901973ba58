"""The outermost app of a process: its routes, and an OperationOutcome for what none of them answers.

Invariant: it imports no FastAPI, because a worker, which answers nothing but its health, is served by it too.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from shared.errors import NotFound, Refusal
from shared.http.errors import as_refusal, refusal_answer
from shared.ids import new_text_id

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def outermost(routes: Sequence[BaseRoute], *, lifespan: Lifespan | None = None) -> Starlette:
    """Make the app; an address with a slash too many or too few is no address of it."""
    app = Starlette(
        routes=routes, lifespan=lifespan, exception_handlers={HTTPException: _refuse, Refusal: _refuse}
    )
    app.router.redirect_slashes = False
    return app


async def _refuse(_: Request, error: Exception) -> Response:
    headers = error.headers if isinstance(error, HTTPException) else None
    return refusal_answer(as_refusal(error) or NotFound(), request_id=new_text_id(), headers=headers)
