"""`/readyz` is asked by whoever sends traffic here: it must know what is away, and say it."""

import asyncio
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from deploy.gateway import Gateway
from deploy.gateway.replicas import Replicas
from deploy.serve.health import health_routes
from deploy.services import PORTAL, SERVICES
from deploy.shape import ISSUER
from shared.db import Database
from tests.support.clinic import TestClinic
from tests.support.eventually import eventually

AWAY = "postgresql://nobody@127.0.0.1:1/nothing"
UNKNOWN = "postgresql://nobody@no-such-host.invalid/nothing"


async def readiness(app: Any) -> tuple[int, dict[str, dict[str, str]]]:
    """Ask whether an app is ready; give the status, and the state of each need by kind and service."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here.test") as http:
        answer = await http.get("/readyz")
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    assert told["ready"] is all(need["ok"] for need in told["needs"])
    states: dict[str, dict[str, str]] = {}
    for need in told["needs"]:
        states.setdefault(need["kind"], {})[need["service"]] = need["state"]
    return answer.status_code, states


async def test_the_embedded_clinic_names_everything_that_it_needs(clinic: TestClinic) -> None:
    await eventually(lambda: all(worker.healthy() for worker in clinic.workers.values()))
    status, states = await readiness(clinic.app)
    assert status == 200
    assert states == {
        "database": dict.fromkeys((*SERVICES, "identity"), "up"),
        "broker": dict.fromkeys(SERVICES, "up"),
        "leader": dict.fromkeys(SERVICES, "here"),
        "worker": dict.fromkeys(SERVICES, "running"),
    }


async def test_a_clinic_with_pages_needs_the_database_of_the_portal() -> None:
    async with TestClinic(services=("referral",), pages=True) as clinic:
        _, states = await readiness(clinic.app)
    assert states["database"]["portal"] == "up"


async def test_a_process_is_not_ready_while_a_database_is_away_or_has_no_address(clinic: TestClinic) -> None:
    away, unknown = (Database.connect(url, name="away") for url in (AWAY, UNKNOWN))
    databases = {"scheduling": clinic.databases["scheduling"], "referral": away, "careteam": unknown}
    app = Starlette(routes=health_routes(databases, workers={}))
    status, states = await readiness(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here.test") as http:
        liveness = await http.get("/healthz")
    assert status == 503
    assert states["database"] == {"scheduling": "up", "referral": "away", "careteam": "away"}
    assert liveness.status_code == 200


async def test_a_worker_that_was_stopped_is_not_ready(clinic: TestClinic) -> None:
    await clinic.workers["careteam"].stop()
    status, states = await readiness(clinic.app)
    assert status == 503
    assert (states["worker"]["careteam"], states["leader"]["careteam"]) == ("failing", "unknown")
    assert states["worker"]["referral"] == "running"


@pytest.mark.parametrize("part", ["careteam", ISSUER, PORTAL])
async def test_a_gateway_counts_the_replicas_that_are_ready_and_needs_one_of_each_part(part: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.extensions["target"] == b"/readyz"
        if request.url.host == "gone":
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(503 if request.url.host == "unready" else 200)

    def gateway(*second: str) -> Gateway:
        network = httpx.MockTransport(answer)
        here = Replicas(["http://ready:1", "http://gone:1"], transport=network)
        return Gateway({"referral": here, part: Replicas(list(second), transport=network)})

    assert await readiness(gateway("http://ready:1")) == (
        200,
        {"upstream": {"referral": "1 of 2 ready", part: "1 of 1 ready"}},
    )
    status, states = await readiness(gateway("http://unready:1", "http://gone:1"))
    assert (status, states["upstream"][part]) == (503, "0 of 2 ready")


async def test_a_gateway_does_not_wait_for_a_replica_that_is_silent() -> None:
    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            raise AssertionError

    silent = Gateway({"referral": Replicas(["http://one:1", "http://two:1"], transport=Silent())})
    async with asyncio.timeout(4):
        status, states = await readiness(silent)
    assert (status, states["upstream"]["referral"]) == (503, "0 of 2 ready")
