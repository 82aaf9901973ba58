"""The HTTP process of careteam."""

from fastapi import FastAPI

from services.careteam import api, operations, queries
from shared.http.app import create_app as create_service_app
from shared.runtime import Runtime


def create_app(runtime: Runtime) -> FastAPI:
    """Put the app together."""
    return create_service_app(
        runtime,
        title="Lumbar care team",
        routers=api.ROUTERS,
        tables=operations.TABLES,
        examples=api.examples.EXAMPLES,
        patients_of_site=queries.scope.patients_of_site,
    )
