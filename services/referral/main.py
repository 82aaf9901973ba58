"""The HTTP process of this service."""

from fastapi import FastAPI

from services.referral import operations, queries
from services.referral.api import ROUTERS
from services.referral.api.examples import EXAMPLES
from services.referral.api.uploads import Uploads
from shared.http.app import create_app as create_service_app
from shared.runtime import Runtime


def create_app(runtime: Runtime) -> FastAPI:
    """Make the app."""
    app = create_service_app(
        runtime,
        title="Lumbar referral",
        routers=ROUTERS,
        tables=operations.TABLES,
        examples=EXAMPLES,
        patients_of_site=queries.scope.patients_of_site,
    )
    app.state.uploads = Uploads()
    return app
