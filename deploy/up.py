"""`lumbar up`: the whole clinic in one process, until it is told to stop.

Invariants:
- What can be wrong is found before anything starts: the settings, clinic.yaml, the port, the data folder.
- On SIGTERM or SIGINT the open streams are ended first, requests in hand are answered, the workers finish
  what they hold, and the database is stopped last.
- A clinic whose database has ended does not linger: it answers 503 until it has noticed, and ends too, with
  one line and a status for whoever supervises it. The next start recovers the database.
"""

import asyncio
import gc
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import asyncpg
import uvicorn
import uvloop
from sqlalchemy.exc import SQLAlchemyError

from deploy.app import end_all_streams
from deploy.composition import embedded_clinic
from deploy.embedded import EmbeddedError, EmbeddedPostgres
from deploy.settings import Settings
from shared import failpoints
from shared.clinic import Clinic
from shared.clock import SystemClock
from shared.telemetry.logging import start_logging
from shared.telemetry.tracing import start_tracing

_LAST_REQUESTS = 5
_LOOKS_EVERY = 0.5
_HOST = "127.0.0.1"


class NotStarted(Exception):
    """The clinic cannot start; the text is one line for the person at the terminal."""


class DatabaseEnded(EmbeddedError):
    """The embedded database has ended under the clinic."""

    def __init__(self, data: Path) -> None:
        super().__init__(
            "the embedded database has ended by itself, so the clinic ends too; nothing acknowledged is lost:"
            f" start it again ({data / 'postgres.log'} may say why)"
        )


def run(settings: Settings, clinic: Clinic, *, data: Path, port: int, ready: Callable[[str], None]) -> None:
    """Serve until told to stop; `ready` is called with the address when the clinic answers.

    Raises NotStarted, EmbeddedError (DatabaseEnded among them) or KeyFileError with one line. Must be called
    in the main thread.
    """
    listener = _listen(port)
    start_logging()
    failpoints.arm()
    start_tracing(ratio=settings.trace_ratio)
    asked = _Asked()
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, asked)
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
    asked: "_Asked",
) -> None:
    address = settings.url or f"http://{_HOST}:{listener.getsockname()[1]}"
    async with embedded_clinic(
        server, clinic, clock=SystemClock(), base_url=address, smtp_url=settings.smtp_url
    ) as put_together:
        app = put_together.app
        http = _Server(
            _configuration(app), ready=lambda: ready(address), end_streams=lambda: end_all_streams(app)
        )
        if asked.to_stop:
            return
        watching = asyncio.create_task(http.end_with(server))
        try:
            await http.serve(sockets=[listener])
        finally:
            watching.cancel()
        if http.without_database:
            raise DatabaseEnded(server.data)


class _Server(uvicorn.Server):
    """A server that says when it is ready, and ends the open streams as soon as it is asked to stop."""

    def __init__(
        self, config: uvicorn.Config, *, ready: Callable[[], None], end_streams: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self.without_database = False
        self._ready = ready
        self._end_streams = end_streams

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets=sockets)
        except SystemExit as failed:
            raise NotStarted("the clinic did not start; the log above says which part failed") from failed
        gc.collect()
        gc.freeze()
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._end_streams()
        super().handle_exit(sig, frame)

    async def end_with(self, database: EmbeddedPostgres) -> None:
        """Stop as a signal would, should the database end before one comes."""
        while database.runs():  # noqa: ASYNC110 - a process that ends sets no event
            await asyncio.sleep(_LOOKS_EVERY)
        if not self.should_exit:
            self.without_database = True
            self._end_streams()
            self.should_exit = True


def _configuration(app: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        loop="none",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_LAST_REQUESTS,
    )


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
        listener.listen(512)
    except (OSError, OverflowError) as error:
        listener.close()
        why = error.strerror if isinstance(error, OSError) else "ports go up to 65535"
        raise NotStarted(f"--port {port}: cannot be used: {why}") from error
    return listener


class _Asked:
    """Takes a signal while nothing serves yet, so that the start is not torn: it stops once it is through.

    Uvicorn gives a signal back to this handler after it has stopped; there is nothing left to do then.
    """

    def __init__(self) -> None:
        self.to_stop = False

    def __call__(self, _: int, __: FrameType | None) -> None:
        self.to_stop = True
