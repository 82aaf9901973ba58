"""The app of one service: its routes, the error answers, the server span, metadata, health."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

from shared.errors import NotSupported, Problem, Refusal
from shared.http.anonymous_calls import AnonymousCalls
from shared.http.audit_reading import PatientsOfSite, audit_router, no_patients
from shared.http.audit_refusals import audit_refusal, audit_replay
from shared.http.code_systems import code_systems_router
from shared.http.dead_letters import dead_letters_router
from shared.http.errors import as_refusal, failure_answer, refusal_answer
from shared.http.health import MoreHealth, health_router, nothing_more
from shared.http.idempotency import Replayed
from shared.http.metadata import add_metadata
from shared.http.middleware import RequestMiddleware
from shared.http.openapi import Examples, add_documents
from shared.http.operations import operations_router
from shared.http.resources import Readers
from shared.http.rest import RestMiddleware, allowed
from shared.http.trace import trace_router
from shared.operations import OperationTable
from shared.runtime import Runtime


def create_app(
    runtime: Runtime,
    *,
    title: str,
    routers: Sequence[APIRouter],
    tables: Sequence[OperationTable[Any]] = (),
    examples: Examples = MappingProxyType({}),
    patients_of_site: PatientsOfSite = no_patients,
    more_health: MoreHealth = nothing_more,
) -> FastAPI:
    """Make a service's app; every route begins with `/fhir`, except what the service says otherwise.

    What is for operators stands beside it: `/health` (`more_health` is what the service adds to it),
    `/dead-letters` and `/trace`.

    Adds the routes of its operation tables, `GET /fhir/metadata` (CapabilityStatement made from the routes),
    `GET /fhir/CodeSystem`, `GET /fhir/AuditEvent` for coordinators (`patients_of_site` selects the ids of a
    site's patients as text) and privacy officers, the OpenAPI document with its pages (`examples` are bodies
    by `METHOD /path`), OperationOutcome answers for every refusal and for 404, 405 and 5xx, and the ASGI
    middleware of every request (shared/http/middleware.py) and of every FHIR address
    (shared/http/rest.py).
    """
    app: FastAPI = FastAPI(
        title=title,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        middleware=[
            Middleware(RequestMiddleware, service=runtime.service, fail=answer_error),
            Middleware(RestMiddleware, methods=lambda path: _methods_of(app, path)),
        ],
        exception_handlers={
            Refusal: answer_error,
            Replayed: answer_error,
            HTTPException: answer_error,
            RequestValidationError: answer_error,
        },
    )
    app.state.runtime = runtime
    app.state.anonymous_calls = AnonymousCalls(runtime.service)
    operations = operations_router(tables, clinic=runtime.clinic)
    shared = (audit_router(patients_of_site), code_systems_router(runtime))
    for_operators = (health_router(more_health), dead_letters_router(), trace_router())
    for router in (operations, *routers, *shared, *for_operators):
        # include_router would look each of them up twice at every request.
        app.router.routes.extend(router.routes)
    app.state.readers = Readers.of(app)
    add_metadata(app, runtime, title=title)
    add_documents(app, runtime, title=title, examples=examples)
    return app


async def answer_error(request: Request, error: Exception) -> Response:
    """Answer an error: the stored answer of a key, a refusal, or a failure with an id."""
    if isinstance(error, Replayed):
        await audit_replay(request, error)
        return error.response
    if isinstance(error, HTTPException) and error.status_code == 405:
        path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
        error.headers = {"Allow": ", ".join(_methods_of(request.app, path))}
    refusal = _of_parameters(error) if isinstance(error, RequestValidationError) else as_refusal(error)
    if refusal is None:
        return failure_answer(error, error_id=request.state.request_id)
    await audit_refusal(request, refusal)
    headers = error.headers if isinstance(error, HTTPException) else None
    return refusal_answer(refusal, request_id=request.state.request_id, headers=headers)


def _of_parameters(error: RequestValidationError) -> NotSupported:
    """Refuse parameters that are not of the kind that the route declares."""
    found = [(".".join(str(part) for part in one["loc"][1:]), one["msg"]) for one in error.errors()]
    return NotSupported(
        problems=[Problem(text=f"parameter {name}: {msg}", code="value") for name, msg in found]
    )


def _methods_of(app: FastAPI, path: str) -> list[str]:
    """Name every method of an address: the router tells only those of the first route that has its path."""
    return allowed(
        {
            method
            for route in iter_route_contexts(app.routes)
            if compile_path(route.path_format or "")[0].match(path)
            for method in route.methods or ()
        },
        path,
    )
