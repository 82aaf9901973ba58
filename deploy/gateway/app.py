"""The gateway's app, pure ASGI: find the part by the path, pass the request on, pass the answer back.

Invariants:
- A request that was not sent is passed to the next replica; one that may have arrived is repeated only where
  that has no second effect: GET, HEAD, OPTIONS, or an Idempotency-Key.
- The body of an attachment is passed on as it comes and never held; once it has begun it is not repeated.
- An answer is begun only when it is there whole, streams and very long ones apart, so that a replica which
  dies in the middle is not noticed.
- Nothing of a request stands in the log: neither path nor query nor a header.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
from starlette.types import Message, Receive, Scope, Send

from deploy.gateway import answers, headers
from deploy.gateway.body import CallerGone, PassedBody, TooLong, read_body
from deploy.gateway.figures import Measured, replica_away
from deploy.gateway.replicas import NotReached, Replicas, Sent, Unanswered
from deploy.gateway.streams import Held, hold, pass_stream
from deploy.serve.documents import TITLE, joined
from deploy.serve.http import Served
from deploy.serve.readiness import Need, readiness_of
from deploy.services import PORTAL, SERVICES
from deploy.settings import Settings
from deploy.shape import ISSUER
from deploy.telemetry import observed
from shared.errors import NotFound
from shared.http import docs

_SAFE = ("GET", "HEAD", "OPTIONS")
_OF_ISSUER = ("/auth/", "/.well-known/")
_OF_ISSUER_IN_SERVICE = "fhir/.well-known/"
_ROUNDS = 2


@asynccontextmanager
async def gateway(settings: Settings) -> AsyncIterator[Served]:
    """Put the gateway together from the addresses in the settings."""
    addresses = {part: _addresses(settings, part) for part in (*SERVICES, ISSUER)}
    if settings.portal_addresses is not None:
        addresses[PORTAL] = _addresses(settings, PORTAL)
    with_tls = any(address.startswith("https://") for part in addresses.values() for address in part)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=256, keepalive_expiry=4)
    async with httpx.AsyncHTTPTransport(verify=with_tls, trust_env=False, limits=limits) as transport:
        app = Gateway({part: Replicas(found, transport=transport) for part, found in addresses.items()})
        async with observed(settings.otlp_endpoint, service="gateway"):
            yield Served(app=Measured(app), end_streams=app.ending.set)


class Gateway:
    """One address for all parts."""

    def __init__(self, parts: Mapping[str, Replicas]) -> None:
        self.ending = asyncio.Event()
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        if path == "/healthz":
            await answers.text(send, "alive\n")
        elif path == "/readyz":
            await self._readiness(send)
        elif path == "/openapi.json":
            await self._document(send)
        elif path == "/docs" or path.startswith("/docs/"):
            await _docs(scope, receive, send)
        elif (part := part_of(path)) is None or part not in self._parts:
            await answers.refuse(send, 404, "not-found", "there is nothing at this address")
        else:
            scope.setdefault("state", {})["part"] = part
            await self._through(part, scope, receive, send)

    async def _through(self, part: str, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            held = await self._asked(part, await _sent(scope, receive))
        except TooLong as error:
            await answers.refuse(send, 413, "too-long", str(error))
        except CallerGone:
            return
        except NotReached:
            await answers.refuse(send, 503, "transient", "nobody who could answer this is up; try again")
        except Unanswered:
            await answers.refuse(
                send, 503, "transient", "the answer was lost, and the request may have been carried out;"
                " send it again with the same Idempotency-Key or identifier, or look first",
            )  # fmt: skip
        else:
            await self._back(held, receive, send)

    async def _asked(self, part: str, sent: Sent) -> Held:
        """Ask the replicas until one answers; raises NotReached, or Unanswered where that is the end."""
        replicas = self._parts[part]
        repeatable = sent.method in _SAFE or any(name == b"idempotency-key" for name, _ in sent.headers)
        failure: NotReached | Unanswered = NotReached()
        for _ in range(_ROUNDS):
            for replica in replicas.in_turn():
                try:
                    return await hold(await replicas.send(replica, sent))
                except NotReached as error:
                    failure = error
                except Unanswered as error:
                    failure = error
                    if not repeatable or sent.is_passing:
                        raise
                replica_away(part, was_sent=isinstance(failure, Unanswered))
        raise failure

    async def _back(self, held: Held, receive: Receive, send: Send) -> None:
        start: Message = {
            "type": "http.response.start",
            "status": held.response.status_code,
            "headers": headers.back(held.response.headers.raw),
        }
        await send(start)
        if held.rest is None:
            await send({"type": "http.response.body", "body": held.begun})
            return
        with contextlib.suppress(httpx.TransportError):
            await pass_stream(held, receive, send, ending=self.ending)

    async def _document(self, send: Send) -> None:
        """Join what the services say of themselves; where none of one answers, there is no whole."""
        services = [part for part in self._parts if part in SERVICES]
        try:
            held = await asyncio.gather(*(self._asked(part, _asking(part)) for part in services))
        except (NotReached, Unanswered):
            held = []
        if len(held) < len(services) or any(one.response.status_code != 200 for one in held):
            await answers.refuse(send, 503, "transient", "a service that says its part is away; try again")
            return
        documents = {part: json.loads(one.begun) for part, one in zip(services, held, strict=True)}
        await answers.plain_json(send, joined(documents), status=200)

    async def _readiness(self, send: Send) -> None:
        counts = await asyncio.gather(*(replicas.count_ready() for replicas in self._parts.values()))
        needs = [
            Need(kind="upstream", service=part, state=f"{ready} of {all_of_it} ready", ok=ready > 0)
            for part, (ready, all_of_it) in zip(self._parts, counts, strict=True)
        ]
        status, content = readiness_of(needs)
        await answers.plain_json(send, content, status=status)


async def _sent(scope: Scope, receive: Receive) -> Sent:
    """Make the request for the next server; raises TooLong and CallerGone."""
    body, query = await read_body(scope, receive), scope["query_string"]
    return Sent(
        method=scope["method"],
        target=scope["raw_path"] + (b"?" + query if query else b""),
        headers=headers.onward(scope, length=body.length if isinstance(body, PassedBody) else len(body)),
        body=body,
    )


def _asking(part: str) -> Sent:
    return Sent(method="GET", target=f"/{part}/openapi.json".encode(), headers=[], body=b"")


async def _docs(scope: Scope, receive: Receive, send: Send) -> None:
    name = scope["path"].removeprefix("/docs").removeprefix("/")
    try:
        found = docs.found(name) if name else docs.page(TITLE)
    except NotFound as error:
        await answers.refuse(send, 404, "not-found", str(error))
    else:
        await found(scope, receive, send)


def part_of(path: str) -> str | None:
    """Tell whose path this is; what is nobody else's is the portal's, but figures, which are nobody's."""
    if path == "/metrics" or path.startswith("//"):
        return None
    if path.startswith(_OF_ISSUER):
        return ISSUER
    first, slash, rest = path.removeprefix("/").partition("/")
    if not slash or first not in SERVICES:
        return PORTAL
    return ISSUER if rest.startswith(_OF_ISSUER_IN_SERVICE) else first


def _addresses(settings: Settings, part: str) -> list[str]:
    found: str = getattr(settings, f"{part}_addresses")
    return [address.strip() for address in found.split(",")]
