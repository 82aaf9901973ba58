"""One service's process put together: its api, or its worker, with health and figures beside it.

Invariants:
- An api holds its own database alone; it needs no Kafka, so it goes on while the broker is away.
- A worker holds its own database, and on the PostgreSQL log may also read the logs of the others.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount

from deploy.events import make_transport
from deploy.serve.checks import check_database, check_log, jwks_url_of
from deploy.serve.health import health_routes
from deploy.serve.http import Served
from deploy.services import room
from deploy.settings import Settings
from deploy.shape import Role, database_url, needed_databases
from deploy.telemetry import observed
from shared.auth.jwks import FetchedJwks
from shared.auth.verifier import JwtVerifier
from shared.clinic import Clinic
from shared.clock import SystemClock
from shared.db import Database
from shared.events.notify import Notices, notices_of_api, notices_of_log, notices_of_worker
from shared.events.transport import Transport
from shared.events.worker import Worker
from shared.runtime import Runtime

_JWKS_WITHIN = 5.0
_OWN_POOL = 6
_LOG_POOL = 2


@asynccontextmanager
async def api(settings: Settings, clinic: Clinic, *, service: str) -> AsyncIterator[Served]:
    """Put the HTTP process of a service together, its routes under `/SERVICE` as everywhere."""
    from shared.fhir import check
    from shared.http.streams import end_streams

    async with AsyncExitStack() as ends:
        databases = await _databases(settings, service, role="api", ends=ends)
        http = await ends.enter_async_context(httpx.AsyncClient(timeout=_JWKS_WITHIN))
        jwks_url = await jwks_url_of(settings, http=http)
        runtime = _runtime(
            settings, clinic, service=service, databases=databases, jwks_url=jwks_url, http=http
        )
        app = room(service, "main").create_app(runtime)
        ends.callback(check.close)
        check.warm()
        await _begin([notices_of_api(runtime.database)], ends)
        await ends.enter_async_context(
            observed(settings.otlp_endpoint, service=service, role="api", databases=[runtime.database])
        )
        routes = health_routes({service: runtime.database}, workers={})
        parent = Starlette(routes=[*routes, Mount(f"/{service}", app=app)])
        yield Served(app=parent, end_streams=lambda: end_streams(app))


@asynccontextmanager
async def worker(settings: Settings, clinic: Clinic, *, service: str) -> AsyncIterator[Served]:
    """Put the worker of a service together, running, with its health and figures to be served."""
    async with AsyncExitStack() as ends:
        databases = await _databases(settings, service, role="worker", ends=ends)
        transport = await make_transport(settings, databases)
        ends.push_async_callback(transport.close)
        http = await ends.enter_async_context(httpx.AsyncClient(timeout=_JWKS_WITHIN))
        runtime = _runtime(
            settings, clinic, service=service, databases=databases, transport=transport, http=http
        )
        running: Worker = room(service, "worker").create_worker(runtime)
        watching = observed(
            settings.otlp_endpoint,
            service=service,
            role="worker",
            databases=[runtime.database],
            workers={service: running},
        )
        await ends.enter_async_context(watching)
        await running.start()
        ends.push_async_callback(running.stop)
        logs = [notices_of_log(source) for name, source in databases.items() if name != service]
        await _begin([notices_of_worker(running), *logs], ends)
        routes = health_routes({service: runtime.database}, workers={service: running})
        yield Served(app=Starlette(routes=routes), end_streams=lambda: None)


async def _databases(
    settings: Settings, service: str, *, role: Role, ends: AsyncExitStack
) -> Mapping[str, Database]:
    databases = {}
    for name in needed_databases(settings, service=service, role=role):
        await (check_database if name == service else check_log)(settings, name)
        pool = _OWN_POOL if name == service else _LOG_POOL
        databases[name] = Database.connect(database_url(settings, name), name=name, pool_size=pool)
        ends.push_async_callback(databases[name].close)
    return databases


def _runtime(
    settings: Settings,
    clinic: Clinic,
    *,
    service: str,
    databases: Mapping[str, Database],
    http: httpx.AsyncClient,
    transport: Transport | None = None,
    jwks_url: str | None = None,
) -> Runtime:
    from shared.events.postgres import PostgresTransport

    base_url, issuer = str(settings.url), str(settings.issuer)
    jwks = FetchedJwks(jwks_url or issuer, http=http)
    return Runtime(
        service=service,
        database=databases[service],
        clock=SystemClock(),
        clinic=clinic,
        transport=transport or PostgresTransport(databases),
        verifier=JwtVerifier(clinic, issuer=issuer, audience=base_url, jwks=jwks),
        base_url=base_url,
        smtp_url=settings.smtp_url,
    )


async def _begin(notices: list[Notices], ends: AsyncExitStack) -> None:
    for notice in notices:
        await notice.start()
        ends.push_async_callback(notice.stop)
