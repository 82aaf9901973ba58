"""A service's worker process put together, running, with its health and figures to be served.

Invariant: it holds its own database, and on the PostgreSQL log may also read the logs of the others.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from deploy.events import make_transport
from deploy.receivers import way_to_receivers
from deploy.serve.connections import begin, open_databases
from deploy.serve.health import health_routes
from deploy.serve.http import Served
from deploy.serve.outermost import outermost
from deploy.services import room
from deploy.settings import Settings
from deploy.telemetry import observed
from shared.clinic import Clinic
from shared.clinic.current import CurrentClinic
from shared.clock import SystemClock
from shared.db import addresses
from shared.errors import Unauthenticated
from shared.events.pg_notify import log_channel, worker_channel
from shared.events.worker import Worker
from shared.runtime import Runtime

if TYPE_CHECKING:
    from shared.auth.principal import Principal
    from shared.outbound import Outbound


class NobodyAsks:
    """The verifier of a process that answers nobody."""

    async def principal(self, _: str) -> "Principal":
        """Refuse every token."""
        raise Unauthenticated("a worker answers nobody")

    async def is_live(self, _: "Principal") -> bool:
        """Let nobody go on."""
        return False


def _way_out(settings: Settings, clinic: Clinic, *, service: str) -> "Outbound | None":
    if service != "notifications":
        return None
    return way_to_receivers(clinic, data=settings.data, make_secrets=False)


@asynccontextmanager
async def worker(settings: Settings, clinic: Clinic, *, service: str) -> AsyncIterator[Served]:
    """Put it together and start it; raises SettingsError where a database or Kafka cannot be used.

    Raises SecretUnusable too, where clinic.yaml has a receiver whose secret is not in the data folder.
    """
    async with AsyncExitStack() as ends:
        databases = await open_databases(settings, service, role="worker", ends=ends)
        transport = await make_transport(settings, databases)
        ends.push_async_callback(transport.close)
        runtime = Runtime(
            service=service,
            database=databases[service],
            clock=SystemClock(),
            current=CurrentClinic(clinic),
            transport=transport,
            verifier=NobodyAsks(),
            base_url=str(settings.url),
            smtp_url=settings.smtp_url,
            sms_url=settings.sms_url,
            former_urls=await addresses.remember(databases[service], str(settings.url)),
            outbound=_way_out(settings, clinic, service=service),
        )
        running: Worker = room(service, "worker").create_worker(runtime)
        await ends.enter_async_context(observed(settings.otlp_endpoint, service=service, role="worker"))
        ends.push_async_callback(running.stop)
        await running.start()
        logs = [log_channel(source) for name, source in databases.items() if name != service]
        await begin([worker_channel(running), *logs], ends=ends)
        routes = health_routes({service: runtime.database}, workers={service: running})
        yield Served(app=outermost(routes), end_streams=lambda: None)
