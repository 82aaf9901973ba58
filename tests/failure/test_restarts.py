"""Killed in the middle of a story, the clinic goes on at its next start: new events, held ones, timers."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from deploy.attach import attached
from deploy.demo.bundles import example
from shared.auth.assertion import fetch_token
from shared.db import Database
from tests.failure.auditor import Notes, Operation, audit
from tests.failure.draining import drain
from tests.failure.referrals import new_key, routine_referral
from tests.support.eventually import eventually
from tests.support.folders import open_folder
from tests.support.process import LumbarProcess

SENDER = "family-practice"
ESCALATE = "emergency-escalation"


@pytest.fixture
def clinic() -> Iterator[LumbarProcess]:
    with open_folder() as folder, LumbarProcess(folder / "data") as made:
        made.start()
        made.wait_until_ready()
        yield made


@pytest.mark.timeout(180)
async def test_what_was_held_or_not_yet_handled_is_done_once_after_a_restart(clinic: LumbarProcess) -> None:
    notes = Notes()
    async with attached(clinic.data) as databases:
        await change(databases["notifications"], "ALTER TABLE known_referral RENAME TO mislaid")
        notes.operations.append(await send(clinic, 1))
        await eventually(lambda: count(databases["notifications"], "held_event"), within=30)
    clinic.kill()
    async with attached(clinic.data) as databases:
        assert await count(databases["notifications"], "held_event") > 0
        await change(databases["notifications"], "ALTER TABLE mislaid RENAME TO known_referral")
    start(clinic)
    notes.operations.append(await send(clinic, 2))
    clinic.kill()
    start(clinic)
    async with attached(clinic.data) as databases:
        await drain(databases)
        assert await audit(databases, notes) == []


@pytest.mark.timeout(180)
async def test_an_emergency_is_escalated_once_though_the_clinic_was_down_when_it_fell_due(
    clinic: LumbarProcess,
) -> None:
    body = json.dumps(json.loads(example("02-cauda-equina.json", at=datetime.now(UTC)))).encode()
    await post(clinic, body)
    clinic.kill()
    start(clinic)
    async with attached(clinic.data) as databases:
        await eventually(lambda: count(databases["referral"], f"timer WHERE kind = '{ESCALATE}'"), within=30)
    clinic.kill()
    async with attached(clinic.data) as databases:
        await change(databases["referral"], "UPDATE timer SET due_at = due_at - interval '16 minutes'")
    start(clinic)
    async with attached(clinic.data) as databases:
        escalated = "event_log WHERE headers->>'ce_type' = 'referral.emergency-escalated'"
        await eventually(lambda: count(databases["referral"], escalated), within=30)
        await drain(databases)
        assert await count(databases["referral"], escalated) == 1
        assert await count(databases["referral"], f"timer WHERE kind = '{ESCALATE}' AND due_at > now()") == 1


def start(clinic: LumbarProcess) -> None:
    """Start the clinic again and wait until it is ready."""
    clinic.start()
    clinic.wait_until_ready()


async def send(clinic: LumbarProcess, number: int) -> Operation:
    """Send a routine referral, and note what the clinic acknowledged."""
    token, body = routine_referral(number)
    entries = (await post(clinic, body))["entry"]
    locations = [entry["response"]["location"] for entry in entries]
    referral = next(one.split("/")[1] for one in locations if one.startswith("ServiceRequest/"))
    return Operation(token=token, referral=referral, attempts=1)


async def post(clinic: LumbarProcess, body: bytes) -> Any:
    """Post a Bundle as its sender, and give the answer."""
    async with httpx.AsyncClient(base_url=clinic.url, timeout=20) as http:
        token = await fetch_token(clinic.url, SENDER, clinic.data / "keys", http=http)
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/fhir+json",
            "Idempotency-Key": new_key(),
        }
        answer = await http.post("/referral/fhir", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def change(database: Database, statement: str) -> None:
    """Run a statement behind the clinic's back."""
    async with database.transaction() as tx:
        await tx.sql(statement)


async def count(database: Database, what: str) -> int:
    """Count the rows of a table, or of a table and a condition."""
    async with database.transaction() as tx:
        return int((await tx.sql(f"SELECT count(*) FROM {what}")).scalar_one())
