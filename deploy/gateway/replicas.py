"""The replicas of one part: whose turn it is, who does not answer, and one request to one of them.

Invariants:
- Whether a request may have arrived is told apart: `NotReached` means that nothing was sent.
- A replica that was not reached rests for a second, and is still asked when no other answers.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import httpx

from deploy.gateway.body import PassedBody
from shared.clock import monotonic

_REST = 1.0
# Longer than a replica looks at what it needs itself, and shorter than a health check waits.
_READY_WITHIN = 3.5
_TIMEOUT = {"connect": 2.0, "read": 60.0, "write": 10.0, "pool": 5.0}

RawHeaders = list[tuple[bytes, bytes]]


class NotReached(Exception):
    """The connection was not made, so nothing has arrived."""


class Unanswered(Exception):
    """The connection ended before the answer, so the request may have arrived and been carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request as it is passed on; `target` is path and query as they came."""

    method: str
    target: bytes
    headers: RawHeaders
    body: bytes | PassedBody = field(repr=False)

    @property
    def is_passing(self) -> bool:
        """Tell whether some of a body that is not held has gone to a replica."""
        return isinstance(self.body, PassedBody) and self.body.begun


@dataclass(slots=True)
class Replica:
    """One process of a part."""

    url: httpx.URL
    rests_until: float = 0.0

    @property
    def host(self) -> bytes:
        """The Host header that it is asked by."""
        return self.url.netloc


class Replicas:
    """All processes of one part."""

    def __init__(self, addresses: Sequence[str], *, transport: httpx.AsyncBaseTransport) -> None:
        self._replicas = [Replica(httpx.URL(address)) for address in addresses]
        self._transport = transport
        self._turn = 0

    def in_turn(self) -> Iterator[Replica]:
        """Give every replica once: the next in turn first, those that rest last."""
        self._turn = (self._turn + 1) % len(self._replicas)
        order = self._replicas[self._turn :] + self._replicas[: self._turn]
        now = monotonic()
        yield from sorted(order, key=lambda replica: replica.rests_until > now)

    async def send(self, replica: Replica, sent: Sent) -> httpx.Response:
        """Ask one replica; raises NotReached or Unanswered. The answer's body is still to be read."""
        request = httpx.Request(
            sent.method,
            replica.url,
            headers=[(b"host", replica.host), *sent.headers],
            stream=httpx.ByteStream(sent.body) if isinstance(sent.body, bytes) else sent.body,
            extensions={"timeout": _TIMEOUT, "target": sent.target},
        )
        try:
            return await self._transport.handle_async_request(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            replica.rests_until = monotonic() + _REST
            raise NotReached from error
        except httpx.TransportError as error:
            raise Unanswered from error

    async def count_ready(self) -> tuple[int, int]:
        """Ask all of them whether they are ready; give how many say so, and how many there are."""
        ready = await asyncio.gather(*(self._is_ready(replica) for replica in self._replicas))
        return sum(ready), len(ready)

    async def _is_ready(self, replica: Replica) -> bool:
        sent = Sent(method="GET", target=b"/readyz", headers=[], body=b"")
        try:
            async with asyncio.timeout(_READY_WITHIN):
                answer = await self.send(replica, sent)
                await answer.aclose()
        except (NotReached, Unanswered, TimeoutError):
            return False
        return answer.status_code == 200
