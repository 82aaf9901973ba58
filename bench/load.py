"""The load generator, a process of its own: `python -m bench.load` takes its orders as JSON on its input.

It speaks HTTP/1.1 over kept-alive connections by hand, because a comfortable client costs more than the
server that is measured. Bodies are made before the first one is sent.
"""

import asyncio
import json
import sys
import time
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any

import uvloop

from bench.referrals import bodies


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What to send: `count` referrals from number `first` on, every `step`th.

    Closed loop over so many connections, or with `rate` an open loop at so many a second.
    """

    port: int
    path: str
    token: str
    first: int
    count: int
    step: int = 1
    connections: int = 8
    rate: float | None = None


@dataclass(kw_only=True)
class Sent:
    """What came of it: machine times (monotonic seconds) and one latency in ms for each answer."""

    begun: float = 0.0
    ended: float = 0.0
    latencies: list[float] = field(default_factory=list)
    sent_at: dict[str, float] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)


class Connection:
    """One kept-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def post(self, head: bytes, body: bytes) -> tuple[int, bytes]:
        """Send one request and give status and body of the answer."""
        self._writer.write(
            head
            + b"content-length: %d\r\nidempotency-key: %s\r\n\r\n" % (len(body), str(uuid.uuid4()).encode())
            + body
        )
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return int(answer[9:12]), await self._reader.readexactly(length)


async def send(orders: Orders) -> Sent:
    """Send everything that was ordered."""
    head = (
        f"POST {orders.path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {orders.token}\r\n"
        "content-type: application/fhir+json\r\n"
    ).encode()
    numbers = range(orders.first, orders.first + orders.count * orders.step, orders.step)
    waiting = list(enumerate(bodies(numbers)))
    waiting.reverse()
    lanes = [
        Connection(*await asyncio.open_connection("127.0.0.1", orders.port))
        for _ in range(orders.connections)
    ]
    sent = Sent(begun=time.monotonic())
    await asyncio.gather(*(_lane(lane, head, waiting, orders, sent) for lane in lanes))
    sent.ended = time.monotonic()
    return sent


async def _lane(
    lane: Connection, head: bytes, waiting: list[tuple[int, bytes]], orders: Orders, sent: Sent
) -> None:
    while waiting:
        place, body = waiting.pop()
        due = time.monotonic()
        if orders.rate is not None:
            due = sent.begun + place / orders.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        status, answer = await lane.post(head, body)
        if status != 200:
            sent.failures[str(status)] = sent.failures.get(str(status), 0) + 1
            continue
        sent.latencies.append((time.monotonic() - due) * 1000)
        if orders.rate is not None:
            sent.sent_at[_referral(answer)] = due


def _referral(answer: bytes) -> str:
    """Read the id of the ServiceRequest that the answer tells."""
    return answer.partition(b"ServiceRequest/")[2][:36].decode()


def main() -> None:
    """Do what standard input orders, and write what came of it."""
    given: dict[str, Any] = json.loads(sys.stdin.readline())
    sys.stdout.write(json.dumps(asdict(uvloop.run(send(Orders(**given))))) + "\n")


if __name__ == "__main__":
    main()
