"""What an older version kept under its keys: named, or forgotten where it answered a search."""

import msgspec
import pytest
from sqlalchemy import MetaData

from deploy.services import SERVICES, package
from shared.clock import machine_now
from shared.db import migrate
from tests.conftest import MakeDatabase
from tests.support.sql import sql

BEFORE = {"referral": "0005", "scheduling": "0005", "careteam": "0004", "notifications": "0004"}
KEPT = {
    "resource": {"id": "t1", "resourceType": "Task", "focus": {"reference": "x", "id": "inner"}},
    "search": {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": {"id": "t1"}}]},
    "empty search": {"resourceType": "Bundle", "type": "searchset"},
    "inquiry": {"resourceType": "Parameters"},
}
OF_REFERRAL = {
    "transaction": {
        "resourceType": "Bundle",
        "type": "transaction-response",
        "entry": [
            {"response": {"location": "Patient/p1/_history/1"}},
            {"response": {"location": "ServiceRequest/s1/_history/1"}},
        ],
    },
    "message": {
        "resourceType": "Bundle",
        "type": "message",
        "entry": [
            {"resource": {"resourceType": "MessageHeader", "id": "m1"}},
            {"resource": {"resourceType": "Task", "id": "t2"}},
        ],
    },
}
_KEEP = """
INSERT INTO idempotency (client, key, request_hash, status, headers, body, machine_at)
VALUES ('practice', $1, '', 200, '{}', $2, $3)
"""


@pytest.mark.parametrize("service", SERVICES)
async def test_are_named_or_forgotten(make_database: MakeDatabase, service: str) -> None:
    database = await make_database(MetaData())
    await migrate.upgrade(database, package=package(service), to=BEFORE[service])
    kept = KEPT | (OF_REFERRAL if service == "referral" else {})
    async with database.transaction() as tx:
        for key, body in kept.items():
            await tx.run(_KEEP, key, msgspec.json.encode(body), machine_now())
    await migrate.upgrade(database, package=package(service))
    async with database.transaction() as tx:
        found = {row.key: row.about for row in await sql(tx, "SELECT key, about FROM idempotency")}
    expected = {"resource": "Task/t1"}
    if service == "referral":
        expected |= {"transaction": "ServiceRequest/s1", "message": "Task/t2"}
    assert found == expected
