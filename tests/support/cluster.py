"""A cluster as its clients see it: tokens, a referral, the appointment, the feed, all through the gateway."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import httpx

from deploy.cluster import Cluster
from deploy.folders import keys_folder
from shared.auth.assertion import fetch_token
from tests.failure.referrals import routine_referral
from tests.support.eventually import eventually

# A machine that is three times slower, with other tests beside.
PATIENCE = 90.0


class Client:
    """One party's way into a cluster."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    @classmethod
    @asynccontextmanager
    async def of(cls, cluster: Cluster, name: str) -> AsyncIterator[Self]:
        """Take a token, as `lumbar token` does, and open connections to the gateway."""
        token = await fetch_token(cluster.url, name, keys_folder(cluster.data))
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=cluster.url, headers=headers, timeout=60) as http:
            yield cls(http)

    async def send_referral(self, *, number: int) -> str:
        """Send the routine referral of the `number`th patient, and give the ServiceRequest's id."""
        _, body = routine_referral(number)
        headers = {"Content-Type": "application/fhir+json", "Idempotency-Key": f"cluster-{number}"}
        answer = await self.http.post("/referral/fhir", content=body, headers=headers)
        assert answer.status_code == 200, answer.text
        found = re.search(r"ServiceRequest/([0-9a-f-]+)", answer.text)
        assert found is not None
        return found.group(1)

    async def booked(self, request: str) -> dict[str, Any]:
        """Wait for the first appointment of a referral."""

        async def appointment() -> Any:
            path = f"/scheduling/fhir/Appointment?based-on=ServiceRequest/{request}"
            answer = await self.http.get(path)
            assert answer.status_code == 200, answer.text
            entries = answer.json().get("entry", [])
            return entries and entries[0]["resource"]

        found: dict[str, Any] = await eventually(appointment, within=PATIENCE)
        return found

    async def hear(self, *wanted: str, after: int = -1) -> list[tuple[int, str, str]]:
        """Read the feed behind an entry until these types have come; give number, type and data of each."""
        heard: list[tuple[int, str, str]] = []
        missing = set(wanted)
        async with self.http.stream(
            "GET", "/notifications/feed", headers={"Last-Event-ID": str(after)}
        ) as stream:
            assert stream.status_code == 200
            number = kind = ""
            async for line in stream.aiter_lines():
                name, _, text = line.partition(": ")
                if name == "id":
                    number = text
                elif name == "event":
                    kind = text
                elif name == "data":
                    heard.append((int(number), kind, text))
                    missing.discard(kind)
                    if not missing:
                        return heard
        raise AssertionError(f"the stream ended before {missing} came: {[kind for _, kind, _ in heard]}")
