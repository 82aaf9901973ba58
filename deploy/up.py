"""`lumbar up`: the whole clinic in one process, until it is told to stop.

Invariants:
- What can be wrong is found before anything starts: the settings, clinic.yaml, the port, the data folder.
- On SIGTERM or SIGINT the open streams are ended first, requests in hand are answered, the workers finish
  what they hold, and the database is stopped last.
- A clinic whose database has ended does not linger: it answers 503 until it has noticed, and ends too, with
  one line and a status for whoever supervises it. The next start recovers the database.
"""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import asyncpg
import uvloop
from sqlalchemy.exc import SQLAlchemyError

from deploy.app import end_all_streams
from deploy.composition import embedded_clinic
from deploy.embedded import EmbeddedError, EmbeddedPostgres
from deploy.serve.http import HOST, Asked, Server, configuration, listen
from deploy.settings import Settings
from deploy.shape import check_demo_people, check_embedded, has_demo_people
from deploy.telemetry import observed
from shared import failpoints
from shared.clinic import Clinic
from shared.clock import SystemClock
from shared.telemetry.logging import start_logging
from shared.telemetry.tracing import start_tracing

_LOOKS_EVERY = 0.5


class DatabaseEnded(EmbeddedError):
    """The embedded database has ended under the clinic."""

    def __init__(self, data: Path) -> None:
        super().__init__(
            "the embedded database has ended by itself, so the clinic ends too; nothing acknowledged is lost:"
            f" start it again ({data / 'postgres.log'} may say why)"
        )


def run(settings: Settings, clinic: Clinic, *, data: Path, port: int, ready: Callable[[str], None]) -> None:
    """Serve until told to stop; `ready` is called with the address when the clinic answers.

    Raises SettingsError, NotStarted, EmbeddedError (DatabaseEnded among them) or KeyFileError with one line.
    Must be called in the main thread.
    """
    check_embedded(settings, command="up")
    check_demo_people(settings, clinic, host=HOST)
    listener = listen(port)
    start_logging()
    failpoints.arm()
    start_tracing(ratio=settings.trace_ratio)
    asked = Asked.listening()
    server = EmbeddedPostgres.start(data)
    try:
        uvloop.run(_serve(settings, clinic, server=server, listener=listener, ready=ready, asked=asked))
    except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        if server.runs():
            raise
        raise DatabaseEnded(data) from error
    finally:
        server.stop()


async def _serve(
    settings: Settings,
    clinic: Clinic,
    *,
    server: EmbeddedPostgres,
    listener: socket.socket,
    ready: Callable[[str], None],
    asked: Asked,
) -> None:
    address = settings.url or f"http://{HOST}:{listener.getsockname()[1]}"
    async with embedded_clinic(
        server,
        clinic,
        clock=SystemClock(),
        base_url=address,
        smtp_url=settings.smtp_url,
        sms_url=settings.sms_url,
        origins=settings.origins,
        calls_at=f"http://{HOST}:{listener.getsockname()[1]}",
        demo_people=has_demo_people(settings, clinic),
        sign_in_secret=settings.sign_in_secret,
    ) as put_together:
        app = put_together.app
        http = _Server(
            configuration(app, lifespan=True, trusted_proxies=settings.trusted_proxies),
            ready=lambda: ready(address),
            end_streams=lambda: end_all_streams(app),
        )
        if asked.to_stop:
            return
        watching = asyncio.create_task(http.end_with(server))
        try:
            async with observed(settings.otlp_endpoint, service="embedded"):
                await http.serve(sockets=[listener])
        finally:
            watching.cancel()
        if http.without_database:
            raise DatabaseEnded(server.data)


class _Server(Server):
    """The server of a clinic that ends with its database."""

    without_database = False

    async def end_with(self, database: EmbeddedPostgres) -> None:
        """Stop as a signal would, should the database end before one comes."""
        while database.runs():  # noqa: ASYNC110 - a process that ends sets no event
            await asyncio.sleep(_LOOKS_EVERY)
        if not self.should_exit:
            self.without_database = True
            self.stop()
