"""One process that answers HTTP until it is told to stop; every shape and every part is served by this.

Invariants:
- The port is taken before anything else is made; the first request is answered when all of it stands.
- On SIGTERM or SIGINT the open streams are ended first, requests in hand are answered, and what was put
  together is taken apart last. A signal during the start is heard as soon as the start is through.
"""

import asyncio
import gc
import signal
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import FrameType

import uvicorn
import uvloop
from starlette.types import ASGIApp

from shared.errors import OneLine

# In s, longer than clients keep a connection that they do not use: the side that cannot know that a request
# is on its way must not be the first to close.
_IDLE = 65
_LAST_REQUESTS = 5
HOST = "127.0.0.1"


class NotStarted(OneLine):
    """A process cannot start; the text is one line for the person at the terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What was put together to be served, and how its open streams are asked to end."""

    app: ASGIApp
    end_streams: Callable[[], None]


class Server(uvicorn.Server):
    """A server that says when it is ready, and ends the open streams as soon as it is asked to stop."""

    def __init__(
        self, config: uvicorn.Config, *, ready: Callable[[], None], end_streams: Callable[[], None]
    ) -> None:
        super().__init__(config)
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

    def stop(self) -> None:
        """Stop as a signal would."""
        self._end_streams()
        self.should_exit = True


class Asked:
    """Takes a signal while nothing serves yet, so that the start is not torn: it stops once it is through.

    Uvicorn gives a signal back to this handler after it has stopped; there is nothing left to do then.
    """

    def __init__(self) -> None:
        self.to_stop = False

    def __call__(self, _: int, __: FrameType | None) -> None:
        self.to_stop = True

    @classmethod
    def listening(cls) -> "Asked":
        """Take SIGINT and SIGTERM from now on."""
        asked = cls()
        for stop in (signal.SIGINT, signal.SIGTERM):
            signal.signal(stop, asked)
        return asked


def serve(
    put_together: Callable[[], AbstractAsyncContextManager[Served]],
    *,
    listener: socket.socket,
    ready: Callable[[], None],
    trusted_proxies: str | None,
) -> None:
    """Serve what is put together until told to stop; call it in the main thread."""
    asked = Asked.listening()

    async def run() -> None:
        async with put_together() as served:
            if not asked.to_stop:
                config = configuration(served.app, lifespan=False, trusted_proxies=trusted_proxies)
                server = Server(config, ready=ready, end_streams=served.end_streams)
                await server.serve(sockets=[listener])

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def configuration(app: ASGIApp, *, lifespan: bool, trusted_proxies: str | None = None) -> uvicorn.Config:
    """Configure the server; what a caller forwards is nobody's word here, but that of a trusted proxy.

    `trusted_proxies` are addresses and networks with commas between them: who calls through one is who it
    says, and through several the last whom none of them is.
    """
    return uvicorn.Config(
        app,
        loop="none",
        http="httptools",
        ws="none",
        lifespan="on" if lifespan else "off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=trusted_proxies is not None,
        forwarded_allow_ips=trusted_proxies or [],
        timeout_keep_alive=_IDLE,
        timeout_graceful_shutdown=_LAST_REQUESTS,
    )


def listen(port: int, *, host: str = HOST) -> socket.socket:
    """Take a port; raises NotStarted where that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except (OSError, OverflowError) as error:
        listener.close()
        why = error.strerror if isinstance(error, OSError) else "ports go up to 65535"
        raise NotStarted(f"--port {port}: cannot be used: {why}") from error
    return listener
