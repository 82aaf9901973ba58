"""The app of one service: its routes, the error answers, the server span, metadata, health."""

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI

from shared.runtime import Runtime


def create_app(runtime: Runtime, *, title: str, routers: Sequence[APIRouter]) -> FastAPI:
    """Make a service's app; every route begins with `/fhir`, except what the service says otherwise.

    Adds `GET /fhir/metadata` (CapabilityStatement made from the routes), OperationOutcome answers for every
    refusal and for 404, 405 and 5xx, and the ASGI middleware of shared/telemetry.
    """
    raise NotImplementedError
