"""The clinic of the demo: real HTTP on a free loopback port, care time that the demo moves, its own mail.

It calls itself by the address that `lumbar up` uses, so that what it stored goes on under that address. One
insurer has a system of its own that is told by webhooks, for the length of the demo.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import httpx
import uvicorn

from deploy.app import end_all_streams
from deploy.composition import embedded_clinic
from deploy.demo.claims_system import ClaimsSystem
from deploy.demo.letters import LetterBox
from deploy.demo.parties import Parties
from deploy.embedded import EmbeddedPostgres
from deploy.folders import keys_folder, webhooks_folder
from shared.auth.assertion import fetch_token
from shared.clinic import Clinic, Webhook
from shared.clock import SimulatedClock
from shared.events.settle import settle
from shared.events.worker import Worker

ADDRESS = "http://127.0.0.1:8080"
_SETTLED_WITHIN = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedClinic:
    """A clinic that answers, its parties, the mail that arrived, and an insurer's own system."""

    clock: SimulatedClock
    parties: Parties
    letters: LetterBox
    claims: ClaimsSystem
    workers: Sequence[Worker]

    async def settle(self) -> datetime | None:
        """Wait until nothing is on its way, and tell when something is due next; raises NotSettled."""
        return await settle(self.workers, timeout=_SETTLED_WITHIN)

    async def left_behind(self) -> int:
        """Count the keys that were given up and wait for a person."""
        return sum([(await worker.read_status()).held_dead for worker in self.workers])


@asynccontextmanager
async def served_clinic(
    server: EmbeddedPostgres, clinic: Clinic, *, begin: datetime
) -> AsyncIterator[ServedClinic]:
    """Serve a clinic whose care time begins at `begin`, for the duration of the block."""
    clock, letters, claims = SimulatedClock(begin), LetterBox(), ClaimsSystem(webhooks_folder(server.data))
    smtp_url, receiver = await letters.open(), await claims.open()
    try:
        async with embedded_clinic(
            server,
            _registering(clinic, receiver),
            clock=clock,
            base_url=ADDRESS,
            smtp_url=smtp_url,
            outbound=claims.road,
        ) as put_together:
            app = put_together.app
            async with _answering(app) as port:
                road = _Road(port)
                async with httpx.AsyncClient(transport=road) as http:

                    async def token_for(party: str) -> str:
                        return await fetch_token(ADDRESS, party, keys_folder(server.data), http=http)

                    parties = Parties(ADDRESS, road=road, token_for=token_for)
                    yield ServedClinic(
                        clock=clock,
                        parties=parties,
                        letters=letters,
                        claims=claims,
                        workers=list(put_together.workers.values()),
                    )
                    await parties.close()
                end_all_streams(app)
    finally:
        await letters.close()
        await claims.close()


def _registering(clinic: Clinic, receiver: Webhook) -> Clinic:
    """Give the clinic with one more webhook receiver."""
    host = receiver.url.removeprefix("https://").partition("/")[0]
    more = {"webhooks": (*clinic.webhooks, receiver), "webhook_hosts": (*clinic.webhook_hosts, host)}
    return clinic.model_copy(update=more)


class _Road(httpx.AsyncHTTPTransport):
    """Leads requests for the clinic's public address to the port on which it answers now."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(port=self._port)
        return await super().handle_async_request(request)


class _Server(uvicorn.Server):
    """A server that leaves signals to whoever runs the demo."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def _answering(app: object) -> AsyncIterator[int]:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    configuration = uvicorn.Config(
        app,  # type: ignore[arg-type]
        loop="none",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    http = _Server(configuration)
    serving = asyncio.create_task(http.serve(sockets=[listener]))
    try:
        while not http.started and not serving.done():  # noqa: ASYNC110 (uvicorn has no event for it)
            await asyncio.sleep(0.005)
        if not http.started:
            await serving
            raise RuntimeError("the demo's clinic did not start; its log says which part failed")
        yield listener.getsockname()[1]
    finally:
        http.should_exit = True
        await serving
