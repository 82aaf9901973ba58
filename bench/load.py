"""The load generator, a process of its own: `python -m bench.load` takes its orders as JSON on its input.

It speaks HTTP/1.1 over kept-alive connections by hand, because a comfortable client costs more than the
server that is measured. Bodies are made before the first one is sent.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from itertools import cycle, islice
from typing import Any

import uvloop

from bench.clinic import SITES
from bench.feeds import Seen, follow
from bench.referrals import bodies
from shared.ids import new_text_id

_LAST = "careteam.formed"
_HEARD_WITHIN = 30.0


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What to send: `count` referrals from number `first` on, spread over `sites`.

    Closed loop over so many connections, or with `rate` an open loop at so many a second, in which a latency
    begins when the referral was due. `feeds` are tokens of coordinators whose live feed is read meanwhile.
    With `requests` (method, path, body) those are sent in turn instead of referrals.
    """

    port: int
    path: str
    token: str
    first: int
    count: int
    sites: int = SITES
    connections: int = 8
    rate: float | None = None
    feeds: tuple[str, ...] = ()
    requests: Sequence[tuple[str, str, str]] = ()


@dataclass(kw_only=True)
class Sent:
    """What came of it: machine times (monotonic seconds), and latencies in ms of answers and of feeds."""

    begun: float = 0.0
    ended: float = 0.0
    answered: list[float] = field(default_factory=list)
    heard: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)


class Connection:
    """One kept-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, head: bytes, body: bytes) -> tuple[int, bytes]:
        """Send one request and give status and body of the answer."""
        self._writer.write(head + b"content-length: %d\r\n\r\n" % len(body) + body)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return int(answer[9:12]), await self._reader.readexactly(length)


class Generator:
    """Sends everything that was ordered and notes what came of it."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._waiting = list(enumerate(_requests(orders)))[::-1]
        self._due: dict[str, float] = {}
        self._failures: Counter[str] = Counter()
        self._sent = Sent()

    async def run(self) -> Sent:
        """Send, and read the feeds until the last event of every referral arrived."""
        lanes = [
            Connection(*await asyncio.open_connection("127.0.0.1", self._orders.port))
            for _ in range(self._orders.connections)
        ]
        async with _listening(self._orders) as seen:
            self._sent.begun = time.monotonic()
            await asyncio.gather(*(self._lane(lane) for lane in lanes))
            self._sent.ended = time.monotonic()
            if self._orders.feeds:
                await self._hear(seen)
        self._sent.failures = dict(self._failures)
        return self._sent

    async def _lane(self, lane: Connection) -> None:
        while self._waiting:
            place, (head, body) = self._waiting.pop()
            due = time.monotonic()
            if self._orders.rate is not None:
                due = self._sent.begun + place / self._orders.rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            status, answer = await lane.send(head, body)
            if status != 200:
                self._failures[str(status)] += 1
                continue
            self._sent.answered.append((time.monotonic() - due) * 1000)
            if self._orders.feeds:
                self._due[_referral(answer)] = due

    async def _hear(self, seen: Seen) -> None:
        deadline = time.monotonic() + _HEARD_WITHIN
        while any(_LAST not in seen.get(one, {}) for one in self._due) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        for referral, due in self._due.items():
            for event, at in seen.get(referral, {}).items():
                self._sent.heard.setdefault(event, []).append((at - due) * 1000)


def _requests(orders: Orders) -> Iterator[tuple[bytes, bytes]]:
    """Make head and body of each request; a referral has an idempotency key of its own."""
    if orders.requests:
        for method, path, text in islice(cycle(orders.requests), orders.count):
            yield _head(orders, method, path), text.encode()
        return
    for body in bodies(range(orders.first, orders.first + orders.count), sites=orders.sites):
        yield _head(orders, "POST", orders.path, f"idempotency-key: {new_text_id()}\r\n"), body


def _head(orders: Orders, method: str, path: str, more: str = "") -> bytes:
    return (
        f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {orders.token}\r\n"
        f"content-type: application/fhir+json\r\n{more}"
    ).encode()


@asynccontextmanager
async def _listening(orders: Orders) -> AsyncIterator[Seen]:
    seen: Seen = {}
    ready = [asyncio.Event() for _ in orders.feeds]
    streams = [
        asyncio.create_task(follow(orders.port, token, seen=seen, caught_up=caught_up))
        for token, caught_up in zip(orders.feeds, ready, strict=True)
    ]
    try:
        for caught_up in ready:
            await asyncio.wait_for(caught_up.wait(), _HEARD_WITHIN)
        yield seen
    finally:
        for stream in streams:
            stream.cancel()
        await asyncio.gather(*streams, return_exceptions=True)


def _referral(answer: bytes) -> str:
    """Read the id of the ServiceRequest that the answer tells."""
    return answer.partition(b"ServiceRequest/")[2][:36].decode()


def main() -> None:
    """Do what standard input orders, and write what came of it."""
    given: dict[str, Any] = json.loads(sys.stdin.readline())
    sys.stdout.write(json.dumps(asdict(uvloop.run(Generator(Orders(**given)).run()))) + "\n")


if __name__ == "__main__":
    main()
