"""`/readyz` is asked by whoever sends traffic here: it must know when a database is away."""

import httpx
from starlette.applications import Starlette

from deploy.serve.health import health_routes
from shared.db import Database
from tests.support.clinic import TestClinic

AWAY = "postgresql://nobody@127.0.0.1:1/nothing"


async def test_a_process_is_not_ready_while_a_database_is_away(clinic: TestClinic) -> None:
    away = Database.connect(AWAY, name="referral")
    databases = {"scheduling": clinic.databases["scheduling"], "referral": away}
    app = Starlette(routes=health_routes(databases, workers={}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here.test") as http:
        readiness = await http.get("/readyz")
        liveness = await http.get("/healthz")
    await away.close()
    assert (readiness.status_code, readiness.text) == (503, "referral: its database does not answer\n")
    assert liveness.status_code == 200
