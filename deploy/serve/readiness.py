"""What a process needs and whether it is there: the answer of `/readyz`.

Invariants:
- A process is ready while everything that it cannot work without is there, and 503 otherwise; what it can do
  without for a while is not listed (an `api` writes into its outbox whether or not a broker answers).
- A need is named by its kind and its service: no address, no error text and no person.
- The answer takes at most three seconds, because the health check of a container waits four.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

ANSWERS_WITHIN = 3.0

Kind = Literal["database", "broker", "leader", "worker", "upstream"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One thing that a process cannot work without, the service that it is for, and the state it is in."""

    kind: Kind
    service: str
    state: str
    ok: bool


Look = Callable[[], Awaitable[Need]]


def readiness_of(needs: Sequence[Need]) -> tuple[int, bytes]:
    """Write the status and the JSON body that tell these needs."""
    ready = all(need.ok for need in needs)
    body = json.dumps({"ready": ready, "needs": [asdict(need) for need in needs]}).encode()
    return (200 if ready else 503), body


def readiness(looks: Mapping[tuple[Kind, str], Look]) -> Callable[[Request], Awaitable[Response]]:
    """Give what answers `/readyz`: it looks at all needs at once, each for a limited time."""

    async def readyz(_: Request) -> Response:
        needs = await asyncio.gather(*(_looked(kind, of, look) for (kind, of), look in looks.items()))
        status, body = readiness_of(needs)
        headers = {"Cache-Control": "no-store"}
        return Response(body, status_code=status, media_type="application/json", headers=headers)

    return readyz


async def _looked(kind: Kind, service: str, look: Look) -> Need:
    try:
        async with asyncio.timeout(ANSWERS_WITHIN):
            return await look()
    except TimeoutError:
        return Need(kind=kind, service=service, state="silent", ok=False)
