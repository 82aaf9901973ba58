"""The HTTP process of scheduling."""

from fastapi import FastAPI

from services.scheduling.api import EXAMPLES, router_of
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from shared.http.app import create_app as create_service_app
from shared.runtime import Runtime


def create_app(runtime: Runtime) -> FastAPI:
    """Make the app: appointments, series, the guarantee, free time."""
    routers = [router_of(AvailabilityCache())]
    return create_service_app(runtime, title="Lumbar scheduling", routers=routers, examples=EXAMPLES)
