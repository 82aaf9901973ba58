"""The HTTP process of `notifications`."""

from fastapi import FastAPI

from services.notifications import api, queries
from shared.http import app
from shared.runtime import Runtime


def create_app(runtime: Runtime) -> FastAPI:
    """Make this service's app."""
    return app.create_app(
        runtime,
        title="Lumbar notifications",
        routers=api.ROUTERS,
        patients_of_site=queries.visible.patients_of_site,
    )
