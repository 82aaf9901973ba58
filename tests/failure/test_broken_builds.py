"""The auditor is red on builds that are broken on purpose, each in the smallest way that breaks it.

The broken parts stand here and nowhere else; everything else is the product's own.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from services.referral import handlers
from services.referral.use_cases import record, referral_file
from services.referral.use_cases.changes import Changes
from services.scheduling.models.spans import Span
from services.scheduling.queries import occupancy
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.careteam import TeamEvent
from shared.events.catalog.referral import ReferralTriaged
from shared.events.inbox import consumer, deduplication
from shared.events.inbox.consumer import Admitted
from shared.events.inbox.deduplication import Admission
from shared.events.inbox.incoming import IncomingRecord
from shared.events.outbox.relay import Relay
from shared.events.transport import event_log, positions
from shared.events.transport.base import Batch, OutboxRow
from shared.events.transport.postgres_log import LogSubscription
from shared.fhir.instants import to_the_second
from tests.failure.audit import Evidence, audit, published_on_postgres
from tests.failure.audit.evidence import lag_on_postgres, rows
from tests.failure.history import History, Operation, Outcome
from tests.failure.referrals import new_key, routine_referral
from tests.support.clinic import TestClinic
from tests.support.eventually import eventually
from tests.support.sql import sql

SENDER = "family-practice"
_WAITING = (
    "SELECT id, event_id, topic, key, headers::text AS headers, value FROM outbox WHERE id > $1 ORDER BY id"
)


@pytest_asyncio.fixture
async def clinic() -> AsyncIterator[TestClinic]:
    async with TestClinic(start=datetime.now(UTC)) as made:
        yield made


async def test_the_relay_sends_what_was_overtaken(clinic: TestClinic) -> None:
    history = History()
    await overtake(clinic, history)
    await clinic.settle()
    assert await findings(clinic, history) == set()


async def test_a_relay_that_is_a_cursor_loses_what_was_overtaken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Relay, "step", step_of_cursor)
    async with TestClinic(start=datetime.now(UTC)) as clinic:
        history = History()
        await overtake(clinic, history)
        last = await send(clinic, history, 3)
        await eventually(lambda: is_logged(clinic, last), within=30)
        await eventually(lambda: at_rest(clinic), within=30)
        assert {"I2", "I11"} <= await findings(clinic, history)


async def overtake(clinic: TestClinic, history: History) -> None:
    """Let a slow command put its event into the outbox, and a quick one be through before it commits."""
    slow = await send(clinic, history, 1)
    await eventually(lambda: is_logged(clinic, slow), within=30)
    async with clinic.databases["referral"].transaction() as tx:
        ctx = clinic.workers["referral"].runtime.context(cause=None)
        await say(ctx, tx, UUID(slow))
        quick = await send(clinic, history, 2)
        await eventually(lambda: is_logged(clinic, quick), within=30)


async def is_logged(clinic: TestClinic, referral: str) -> bool:
    """Tell whether an event of a referral has left the outbox."""
    published = await published_on_postgres(clinic.databases)
    return any(record.subject.endswith(referral) for record in published["referral"])


async def test_without_an_inbox_what_is_read_again_happens_again(
    clinic: TestClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit = deduplication.admit

    async def admit_all(tx: Transaction, **asked: Any) -> Admission:
        admission = await admit(tx, **asked)
        return replace(admission, fresh={event_id for event_id, _ in asked["events"]})

    monkeypatch.setattr(deduplication, "admit", admit_all)
    history = History()
    await send(clinic, history, 1)
    await clinic.settle()
    assert await findings(clinic, history) == set()
    for service, worker in clinic.workers.items():
        for topic in worker.topics:
            await positions.set_back(clinic.databases[service], group=service, topic=topic, offset=0)

    async def happened_again() -> bool:
        return "I3" in await findings(clinic, history)

    await eventually(happened_again, within=30)


async def test_without_looking_for_repeats_inside_a_batch_they_happen_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    next_batch = LogSubscription.next_batch

    async def twice(subscription: LogSubscription, *, limit: int) -> Batch | None:
        batch = await next_batch(subscription, limit=limit)
        if batch is None:
            return None
        return replace(batch, records=[record for record in batch.records for _ in range(2)])

    def every_one(chunk: Sequence[IncomingRecord], admitted: Admitted) -> list[int]:
        fresh = [incoming.id in admitted.fresh and incoming not in admitted.aside for incoming in chunk]
        return [place for place, is_fresh in enumerate(fresh) if is_fresh]

    monkeypatch.setattr(LogSubscription, "next_batch", twice)
    monkeypatch.setitem(handlers.HANDLERS, "careteam.formed", tell_of_team)
    async with TestClinic(start=datetime.now(UTC)) as clinic:
        history = History()
        await send(clinic, history, 1)
        await clinic.settle()
        assert await findings(clinic, history) == set()
        monkeypatch.setattr(consumer, "_first_of_each", every_one)
        await send(clinic, history, 2)
        await clinic.settle()
        assert "I3" in await findings(clinic, history)


async def tell_of_team(ctx: Context, tx: Transaction, event: TeamEvent, _: object) -> None:
    """Say something of every team that is formed, without looking whether it was said."""
    await say(ctx, tx, UUID(event.referral))


async def say(ctx: Context, tx: Transaction, referral_id: UUID) -> None:
    """Publish an event of a referral."""
    file = await referral_file.locked(tx, referral_id)
    assert file is not None
    changes = Changes(ctx, file)
    changes.announce(ReferralTriaged)
    await record.rest(ctx, tx, changes)


async def test_with_the_constraint_who_comes_second_gets_another_time(
    clinic: TestClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = await overtake_a_booking(clinic, monkeypatch)
    assert await findings(clinic, history) == set()


async def test_without_the_constraint_two_are_booked_at_one_time(
    clinic: TestClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "nobody_is_in_two_places"
    [rule] = await rows(
        clinic.databases["scheduling"],
        f"SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint WHERE conname = '{name}'",
    )
    await change(clinic, f"ALTER TABLE occupancy DROP CONSTRAINT {name}")
    try:
        history = await overtake_a_booking(clinic, monkeypatch)
        assert "I5" in await findings(clinic, history)
    finally:
        await change(clinic, "DELETE FROM occupancy")
        await change(clinic, f"ALTER TABLE occupancy ADD CONSTRAINT {name} {rule['text']}")


async def overtake_a_booking(clinic: TestClinic, monkeypatch: pytest.MonkeyPatch) -> History:
    """Let a booking choose its time, and move everybody there before it claims the time."""
    history = History()
    for number in range(6):
        await send(clinic, history, number)
    await clinic.settle()
    chosen: asyncio.Queue[occupancy.OccupancyClaim] = asyncio.Queue()
    overtaken = asyncio.Event()
    claim_each = occupancy.claim_each

    async def claim_late(tx: Transaction, claims: Sequence[occupancy.OccupancyClaim]) -> set[UUID]:
        if not overtaken.is_set():
            chosen.put_nowait(claims[0])
            await overtaken.wait()
        return await claim_each(tx, claims)

    monkeypatch.setattr(occupancy, "claim_each", claim_late)
    await send(clinic, history, 6)
    try:
        claim = await asyncio.wait_for(chosen.get(), timeout=30)
        assert 200 in await move_all(clinic, claim.span)
    finally:
        overtaken.set()
    await clinic.settle()
    return history


async def step_of_cursor(relay: Relay) -> bool:
    """Send what has come since, by the largest id that was seen: the way that loses."""
    if not await relay.election.acquire():
        return False
    last: int = getattr(relay, "last", 0)
    async with relay._database.transaction() as tx:
        found = await tx.records(_WAITING, last)
        batch = [
            OutboxRow(
                id=row["id"],
                event_id=row["event_id"],
                topic=row["topic"],
                key=row["key"],
                headers=json.loads(row["headers"]),
                value=row["value"],
            )
            for row in found
        ]
        await event_log.append_all(tx, batch)
        await tx.run("DELETE FROM outbox WHERE id = ANY($1::bigint[])", [row.id for row in batch])
    if batch:
        relay.last = batch[-1].id  # type: ignore[attr-defined]
    return bool(batch)


async def at_rest(clinic: TestClinic) -> bool:
    """Tell whether everything that is in a log was read."""
    return not any((await lag_on_postgres(clinic.databases)).values())


async def send(clinic: TestClinic, history: History, number: int) -> str:
    """Send a referral, note what was answered, and give its id."""
    identifier, body = routine_referral(number)
    operation = Operation(
        party=SENDER, method="POST", path="/referral/fhir", key=new_key(), identifier=identifier
    )
    headers = {"Idempotency-Key": operation.key, "Content-Type": "application/fhir+json"}
    answer = await clinic.as_(SENDER).post("/referral/fhir", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    operation.outcome, operation.status = Outcome.ACKNOWLEDGED, answer.status_code
    operation.answer = answer.content
    history.operations.append(operation)
    return str(operation.referral)


async def findings(clinic: TestClinic, history: History) -> set[str]:
    """Give the numbers of the invariants that do not hold."""
    found = await audit(
        Evidence(
            databases=clinic.databases,
            history=history,
            published=await published_on_postgres(clinic.databases),
            lag=await lag_of(clinic),
        )
    )
    return {finding.partition(":")[0] for finding in found}


async def lag_of(clinic: TestClinic) -> dict[str, int]:
    """Tell how far every group is behind, what it passed in memory included."""
    return {
        f"{service} of {topic}": lag
        for service, status in (await clinic.read_status()).items()
        for topic, lag in (status.lag or {}).items()
    }


async def move_all(clinic: TestClinic, span: Span) -> set[int]:
    """Give all first appointments the same time, and return how that was answered."""
    found = await clinic.as_("coordinator").get("/scheduling/fhir/Appointment?status=booked&_sort=date")
    wanted = {"start": to_the_second(span.start), "end": to_the_second(span.end)}
    moves = [put(clinic, entry["resource"], entry["resource"] | wanted) for entry in found.json()["entry"]]
    return set(await asyncio.gather(*moves))


async def put(clinic: TestClinic, current: dict[str, Any], wanted: dict[str, Any]) -> int:
    """Put an appointment as the coordinator; somebody may have the time already."""
    version = {"If-Match": f'W/"{current["meta"]["versionId"]}"'}
    path = f"/scheduling/fhir/Appointment/{current['id']}"
    answer = await clinic.as_("coordinator").put(path, json=wanted, headers=version)
    assert answer.status_code in (200, 409), answer.text
    return answer.status_code


async def change(clinic: TestClinic, statement: str) -> None:
    """Change scheduling's database behind its back."""
    async with clinic.databases["scheduling"].transaction() as tx:
        await sql(tx, statement)
