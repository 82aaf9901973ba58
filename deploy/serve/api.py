"""A service's HTTP process put together, its routes under `/SERVICE` as everywhere.

Invariant: it holds its own database alone and needs no Kafka, so it goes on while the broker is away.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from starlette.routing import Mount

from deploy import reasons
from deploy.serve.connections import begin, open_databases
from deploy.serve.health import health_routes
from deploy.serve.http import Served
from deploy.serve.keys_of_issuer import jwks_url_of
from deploy.serve.outermost import outermost
from deploy.serve.sessions_of_issuer import sessions_of_issuer
from deploy.services import room
from deploy.settings import Settings
from deploy.telemetry import observed
from shared.auth.jwks import FetchedJwks, keys_of_issuer
from shared.auth.verifier import JwtVerifier
from shared.clinic import Clinic
from shared.clinic.current import CurrentClinic
from shared.clock import SystemClock
from shared.db import addresses
from shared.events.pg_notify import api_channel
from shared.events.transport.postgres_log import PostgresTransport
from shared.fhir import check
from shared.http.streams import end_streams
from shared.roster.refresh import refreshed
from shared.runtime import Runtime

_JWKS_WITHIN = 5.0


@asynccontextmanager
async def api(settings: Settings, clinic: Clinic, *, service: str) -> AsyncIterator[Served]:
    """Put it together; raises SettingsError where a database or the issuer's keys cannot be used."""
    async with AsyncExitStack() as ends:
        databases = await open_databases(settings, service, role="api", ends=ends)
        http = await ends.enter_async_context(httpx.AsyncClient(timeout=_JWKS_WITHIN))
        jwks_url = await jwks_url_of(settings, http=http)
        jwks = FetchedJwks(keys_of_issuer(jwks_url, http=http))
        base_url = str(settings.url)
        runtime = Runtime(
            service=service,
            database=databases[service],
            clock=SystemClock(),
            current=CurrentClinic(clinic),
            transport=PostgresTransport(databases),
            verifier=JwtVerifier(
                clinic,
                issuer=str(settings.issuer),
                audience=base_url,
                jwks=jwks,
                sessions=sessions_of_issuer(settings, jwks_url=jwks_url, http=http),
            ),
            base_url=base_url,
            smtp_url=settings.smtp_url,
            sms_url=settings.sms_url,
            cors=bool(settings.origins),
            former_urls=await addresses.remember(databases[service], base_url),
            code_systems=reasons.code_systems,
        )
        app = room(service, "main").create_app(runtime)
        await ends.enter_async_context(_border())
        await begin([api_channel(runtime.database)], ends=ends)
        await ends.enter_async_context(refreshed(runtime.database, runtime.current))
        watching = observed(settings.otlp_endpoint, service=service, role="api")
        await ends.enter_async_context(watching)
        routes = health_routes({service: runtime.database}, workers={})
        parent = outermost([*routes, Mount(f"/{service}", app=app)], origins=settings.origins)
        yield Served(app=parent, end_streams=lambda: end_streams(app))


@asynccontextmanager
async def _border() -> AsyncIterator[None]:
    """Have the border's validators compiled before the first request."""
    check.warm()
    try:
        yield
    finally:
        check.close()
