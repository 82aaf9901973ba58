"""The portal's process put together: its database, its key, and its way to the services by the gateway."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deploy.pages import open_pages
from deploy.serve.checks import check_database
from deploy.serve.health import health_routes
from deploy.serve.http import Served
from deploy.serve.outermost import outermost
from deploy.services import PORTAL
from deploy.settings import Settings
from deploy.shape import database_url
from deploy.telemetry import observed
from shared.clinic import Clinic
from shared.clock import SystemClock
from shared.db import Database


@asynccontextmanager
async def portal(settings: Settings, clinic: Clinic) -> AsyncIterator[Served]:
    """Put the portal together; raises SettingsError."""
    await check_database(settings, PORTAL)
    database = Database.connect(database_url(settings, PORTAL), name=PORTAL, pool_size=4)
    try:
        opened = open_pages(
            database,
            clinic,
            clock=SystemClock(),
            base_url=str(settings.url),
            calls_at=settings.gateway_url or str(settings.url),
            secret=str(settings.portal_key).encode(),
        )
        async with opened as pages, observed(settings.otlp_endpoint, service=PORTAL):
            routes = [*health_routes({PORTAL: database}, workers={}), *pages]
            yield Served(app=outermost(routes), end_streams=lambda: None)
    finally:
        await database.close()
