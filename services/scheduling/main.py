"""The HTTP process of scheduling."""

from fastapi import FastAPI

from services.scheduling import api, operations, queries
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from shared.http.app import create_app as create_service_app
from shared.runtime import Runtime


def create_app(runtime: Runtime) -> FastAPI:
    """Make the app: appointments, series, the guarantee, free time, the directory."""
    cache = AvailabilityCache()
    routers = (
        api.reads.router,
        api.appointments.router_of(cache),
        api.guarantee.router,
        api.attendance.router,
        api.forecast.router,
        api.worklist.router,
        api.calendar.router,
        api.desk.router,
        api.calendar_links.router,
        api.replanning.router,
        api.roster.router,
        api.absences.router,
        api.free_time.router,
        api.tasks.router,
        api.directory.router,
    )
    return create_service_app(
        runtime,
        title="Lumbar scheduling",
        routers=routers,
        tables=operations.tables(cache),
        examples=api.examples.EXAMPLES,
        patients_of_site=queries.scope.patients_of_site,
    )
