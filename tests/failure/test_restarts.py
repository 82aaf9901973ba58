"""Killed in the middle of a story, the clinic goes on at its next start: new events, held ones, timers."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
import pytest_asyncio

from deploy.demo.bundles import example
from shared.auth.assertion import fetch_token
from shared.db import Database
from tests.failure.audit.evidence import rows
from tests.failure.healing import heal_and_audit
from tests.failure.history import History, Operation, Outcome
from tests.failure.places.embedded import PROCESS, Embedded, open_embedded
from tests.failure.places.time import timers_fall_due
from tests.failure.referrals import new_key, routine_referral
from tests.support.eventually import eventually
from tests.support.sql import sql

SENDER = "family-practice"
ESCALATE = "emergency-escalation"


@pytest_asyncio.fixture
async def clinic() -> AsyncIterator[Embedded]:
    async with open_embedded() as made:
        await made.start(PROCESS)
        await made.ready()
        yield made


@pytest.mark.timeout(400)
async def test_what_was_held_or_not_yet_handled_is_done_once_after_a_restart(clinic: Embedded) -> None:
    history = History()
    async with clinic.databases() as databases:
        await change(databases["notifications"], "ALTER TABLE known_referral RENAME TO mislaid")
        history.operations.append(await send(clinic, 1))
        await eventually(lambda: count(databases["notifications"], "held_event"), within=30)
    await clinic.kill(PROCESS)
    async with clinic.databases() as databases:
        assert await count(databases["notifications"], "held_event") > 0
        await change(databases["notifications"], "ALTER TABLE mislaid RENAME TO known_referral")
    await start(clinic)
    history.operations.append(await send(clinic, 2))
    await clinic.kill(PROCESS)
    await start(clinic)
    _, findings = await heal_and_audit(clinic, history)
    assert findings == []


@pytest.mark.timeout(400)
async def test_an_emergency_is_escalated_once_though_the_clinic_was_down_when_it_fell_due(
    clinic: Embedded,
) -> None:
    history, timers = History(), f"timer WHERE kind = '{ESCALATE}'"
    history.operations.append(await post(clinic, example("02-cauda-equina.json", at=datetime.now(UTC))))
    await clinic.kill(PROCESS)
    await start(clinic)
    async with clinic.databases() as databases:
        await eventually(lambda: count(databases["referral"], timers), within=30)
    await clinic.kill(PROCESS)
    async with clinic.databases() as databases:
        assert await timers_fall_due(databases["referral"], ESCALATE) == 1
    await start(clinic)
    async with clinic.databases() as databases:
        escalated = "event_log WHERE headers->>'ce_type' = 'referral.emergency-escalated'"
        await eventually(lambda: count(databases["referral"], escalated), within=30)
        _, findings = await heal_and_audit(clinic, history)
        assert findings == []
        assert await count(databases["referral"], escalated) == 1
        assert await count(databases["referral"], f"{timers} AND due_at > now()") == 1


async def start(clinic: Embedded) -> None:
    """Start the clinic again and wait until it is ready."""
    await clinic.start(PROCESS)
    await clinic.ready()


async def send(clinic: Embedded, number: int) -> Operation:
    """Send a routine referral, and note what the clinic acknowledged."""
    identifier, body = routine_referral(number)
    return await post(clinic, body, identifier=identifier)


async def post(clinic: Embedded, body: bytes, *, identifier: str | None = None) -> Operation:
    """Post a Bundle as its sender, and note the answer."""
    operation = Operation(
        party=SENDER, method="POST", path="/referral/fhir", key=new_key(), identifier=identifier
    )
    async with httpx.AsyncClient(base_url=clinic.url, timeout=20) as http:
        token = await fetch_token(clinic.url, SENDER, clinic.keys, http=http)
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/fhir+json",
            "Idempotency-Key": operation.key,
        }
        answer = await http.post("/referral/fhir", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    operation.outcome, operation.status = Outcome.ACKNOWLEDGED, answer.status_code
    operation.answer, operation.attempts = answer.content, 1
    return operation


async def change(database: Database, statement: str) -> None:
    """Run a statement behind the clinic's back."""
    async with database.transaction() as tx:
        await sql(tx, statement)


async def count(database: Database, what: str) -> int:
    """Count the rows of a table, or of a table and a condition."""
    return int((await rows(database, f"SELECT count(*) AS found FROM {what}"))[0]["found"])
