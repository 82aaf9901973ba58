"""The portal's app: pages at the root of the clinic, under everything that the services answer themselves."""

from mimetypes import guess_type

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from services.portal.api import acting, entering, live, patient_links
from services.portal.api.pages import ROUTES
from services.portal.api.portal import Portal
from services.portal.api.rendering import STATIC
from services.portal.api.security import SecurityHeaders
from services.portal.runtime import PortalRuntime
from shared.errors import NotFound
from shared.http.errors import as_refusal, failure_answer, refusal_answer
from shared.http.middleware import RequestMiddleware
from shared.ids import new_text_id

_KEPT_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


def create_app(runtime: PortalRuntime) -> ASGIApp:
    """Make the app that answers whatever no service does: a page, or that there is none."""
    portal = Portal.of(runtime)

    async def refuse(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and _is_for_a_person(request):
            return portal.plain(request, "plain/not_there.html", status=error.status_code)
        headers = error.headers if isinstance(error, HTTPException) else None
        refusal = as_refusal(error) or NotFound()
        return refusal_answer(refusal, request_id=new_text_id(), headers=headers)

    async def fail(request: Request, error: Exception) -> ASGIApp:
        error_id = request.state.request_id
        answer = failure_answer(error, error_id=error_id)
        if not _is_for_a_person(request):
            return answer
        return portal.plain(request, "plain/failed.html", status=500, error_id=error_id)

    app = Starlette(
        routes=[
            *entering.entering_routes(portal),
            *patient_links.patient_link_routes(portal),
            *live.live_routes(portal),
            *acting.acting_routes(portal),
            *(make(portal) for make in ROUTES),
            Route("/static/{version}/{name}", _static, methods=["GET"]),
        ],
        middleware=[
            Middleware(SecurityHeaders, is_secure=runtime.is_secure),
            Middleware(RequestMiddleware, service="portal", fail=fail),
        ],
        exception_handlers={HTTPException: refuse},
    )
    app.router.redirect_slashes = False
    return app


def create_routes(runtime: PortalRuntime) -> list[Mount]:
    """Give the route of the portal, to stand behind all others."""
    return [Mount("/", app=create_app(runtime))]


def _is_for_a_person(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


async def _static(request: Request) -> Response:
    """Answer a file of the pages; its address has the version of all of them, so it is kept for ever."""
    path = STATIC / request.path_params["name"]
    if path.parent != STATIC or not path.is_file():
        raise HTTPException(404)
    kind = guess_type(path.name)[0] or "application/octet-stream"
    return Response(path.read_bytes(), media_type=kind, headers=_KEPT_FOR_EVER)
