"""The issuer's process put together: keys made for this cluster, and the addresses of shared/auth."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deploy.folders import keys_folder
from deploy.receivers import way_to_registered_keys
from deploy.serve.checks import check_database
from deploy.serve.health import health_routes
from deploy.serve.http import Served
from deploy.serve.outermost import outermost
from deploy.services import IDENTITY, SERVICES
from deploy.settings import Settings
from deploy.shape import database_url, has_demo_people
from deploy.telemetry import observed
from shared.auth.endpoints import create_issuer_app
from shared.auth.issuer import Issuer
from shared.auth.keys import load_or_make_keys
from shared.auth.people.provider import open_people
from shared.clinic import Clinic
from shared.db import Database


@asynccontextmanager
async def issuer(settings: Settings, clinic: Clinic) -> AsyncIterator[Served]:
    """Put the issuer together; raises SettingsError or KeyFileError."""
    await check_database(settings, IDENTITY)
    keys = load_or_make_keys(keys_folder(settings.data), clients=clinic.clients_without_keys)
    database = Database.connect(database_url(settings, IDENTITY), name=IDENTITY, pool_size=4)
    try:
        way = way_to_registered_keys(clinic, data=settings.data)
        found = Issuer(clinic, keys=keys, database=database, base_url=str(settings.url), outbound=way)
        demo = has_demo_people(settings, clinic)
        people = await open_people(
            clinic,
            issuer=found,
            database=database,
            demo=demo,
            sign_in_secret=settings.sign_in_secret,
        )
        routes = [
            *health_routes({IDENTITY: database}, workers={}),
            *create_issuer_app(found, services=SERVICES, people=people),
        ]
        async with observed(settings.otlp_endpoint, service="issuer"):
            yield Served(app=outermost(routes, origins=settings.origins), end_streams=lambda: None)
    finally:
        await database.close()
