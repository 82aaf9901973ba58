"""`lumbar up`: the whole clinic in one process, until it is told to stop.

Invariants:
- What can be wrong is found before anything starts: the settings, clinic.yaml, the port, the data folder.
- On SIGTERM or SIGINT the open streams are ended first, requests in hand are answered, the workers finish
  what they hold, and the database is stopped last.
"""

import gc
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn
import uvloop

from deploy.app import end_all_streams
from deploy.composition import embedded_clinic
from deploy.embedded import EmbeddedPostgres
from deploy.settings import Settings
from shared.clinic import Clinic
from shared.clock import SystemClock
from shared.telemetry.logging import start_logging
from shared.telemetry.tracing import start_tracing

_LAST_REQUESTS = 5
_HOST = "127.0.0.1"


class NotStarted(Exception):
    """The clinic cannot start; the text is one line for the person at the terminal."""


def run(settings: Settings, clinic: Clinic, *, data: Path, port: int, ready: Callable[[str], None]) -> None:
    """Serve until told to stop; `ready` is called with the address when the clinic answers.

    Raises NotStarted, EmbeddedError or KeyFileError with one line. Must be called in the main thread.
    """
    listener = _listen(port)
    start_logging()
    start_tracing(ratio=settings.trace_ratio)
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, _nothing)
    server = EmbeddedPostgres.start(data)
    try:
        uvloop.run(_serve(settings, clinic, server=server, listener=listener, ready=ready))
    finally:
        server.stop()


async def _serve(
    settings: Settings,
    clinic: Clinic,
    *,
    server: EmbeddedPostgres,
    listener: socket.socket,
    ready: Callable[[str], None],
) -> None:
    address = settings.url or f"http://{_HOST}:{listener.getsockname()[1]}"
    async with embedded_clinic(
        server, clinic, clock=SystemClock(), base_url=address, smtp_url=settings.smtp_url
    ) as put_together:
        app = put_together.app
        http = _Server(
            _configuration(app), ready=lambda: ready(address), end_streams=lambda: end_all_streams(app)
        )
        await http.serve(sockets=[listener])
        if not http.started:
            raise NotStarted("the clinic did not start; the last log line says which part failed")


class _Server(uvicorn.Server):
    """A server that says when it is ready, and ends the open streams as soon as it is asked to stop."""

    def __init__(
        self, config: uvicorn.Config, *, ready: Callable[[], None], end_streams: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._end_streams = end_streams

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            gc.collect()
            gc.freeze()
            self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._end_streams()
        super().handle_exit(sig, frame)


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


def _nothing(_: int, __: FrameType | None) -> None:
    """Uvicorn gives a signal back to this handler after it has stopped; there is nothing left to do."""
