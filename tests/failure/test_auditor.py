"""The auditor can fail: every invariant is seen broken on a database that was damaged on purpose."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from tests.failure.auditor import Notes, Operation, audit
from tests.failure.referrals import new_key, routine_referral
from tests.support.clinic import TestClinic

DAMAGE = [
    # invariant, service, statement
    ("I1", "referral", "DELETE FROM referral"),
    ("I10", "referral", "UPDATE referral SET identifiers = (SELECT min(identifiers) FROM referral)"),
    ("I2", "referral", "DELETE FROM event_log WHERE log_offset = 0"),
    ("I2", "scheduling", "UPDATE appointment SET event_version = event_version + 1"),
    ("I4", "referral", "UPDATE event_log SET log_offset = 1000 - log_offset"),
    ("I3", "careteam", "DELETE FROM inbox"),
    ("I3", "scheduling", "DELETE FROM inbox WHERE event_id = (SELECT min(event_id) FROM inbox)"),
    ("I5", "scheduling", "UPDATE occupancy SET live = false"),
    ("I6", "referral", "UPDATE resource_version SET body = convert_to(replace("
     "convert_from(body, 'UTF8'), '\"code\":\"awaiting-triage\"', '\"code\":\"merged\"'), 'UTF8')"),
    ("I6", "referral", "DELETE FROM resource_version WHERE type = 'Task' AND version = 2"),
    ("I7", "scheduling", "UPDATE appointment SET status = 'cancelled', reason_code = 'x'"),
    ("I7", "referral", "UPDATE referral SET state = 'awaiting-booking'"),
    ("I8", "notifications", "DELETE FROM notification"),
    ("I8", "notifications", "UPDATE notification SET event_type = 'appointment.booked'"),
    ("I8", "notifications", "UPDATE notification SET status = 'completed', next_attempt_at = NULL"),
    ("I11", "careteam", "INSERT INTO timer (kind, ref, due_at) VALUES ('x', 'y', now())"),
    ("I11", "referral", "INSERT INTO held_key (consumer_group, key, state, machine_since)"
     " VALUES ('referral', 'x', 'retrying', now())"),
    ("I11", "scheduling", "INSERT INTO outbox (event_id, topic, key, headers, value, machine_at)"
     " VALUES ('x', 'x', 'x', '{}', '', now())"),
]  # fmt: skip


@pytest_asyncio.fixture
async def told() -> AsyncIterator[tuple[TestClinic, Notes]]:
    """A clinic that has booked two referrals, and what their sender knows."""
    async with TestClinic(start=datetime.now(UTC)) as clinic:
        notes = Notes()
        for number in (1, 2):
            token, body = routine_referral(number)
            answer = await clinic.as_("family-practice").post(
                "/referral/fhir",
                content=body,
                headers={"Idempotency-Key": new_key(), "Content-Type": "application/fhir+json"},
            )
            assert answer.status_code == 200, answer.text
            locations = [entry["response"]["location"] for entry in answer.json()["entry"]]
            referral = next(one.split("/")[1] for one in locations if one.startswith("ServiceRequest/"))
            notes.operations.append(Operation(token=token, referral=referral, attempts=1))
        await clinic.settle()
        yield clinic, notes


Told = tuple[TestClinic, Notes]


async def test_a_sound_clinic_gives_no_finding(told: Told) -> None:
    clinic, notes = told
    assert await audit(clinic.databases, notes) == []


@pytest.mark.parametrize(("invariant", "service", "statement"), DAMAGE)
async def test_damage_is_found(told: Told, invariant: str, service: str, statement: str) -> None:
    clinic, notes = told
    await damage(clinic, service, statement)
    assert invariant in kinds(await audit(clinic.databases, notes))


async def test_a_double_booking_is_found(told: Told) -> None:
    clinic, notes = told
    name = "nobody_is_in_two_places"
    async with clinic.databases["scheduling"].transaction() as tx:
        found = await tx.sql(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name", name=name
        )
        rule = found.scalar_one()
    await damage(clinic, "scheduling", f"ALTER TABLE occupancy DROP CONSTRAINT {name}")
    overlap = "UPDATE occupancy SET during = (SELECT during FROM occupancy ORDER BY appointment LIMIT 1)"
    try:
        await damage(clinic, "scheduling", overlap)
        assert "I5" in kinds(await audit(clinic.databases, notes))
    finally:
        await damage(clinic, "scheduling", "DELETE FROM occupancy")
        await damage(clinic, "scheduling", f"ALTER TABLE occupancy ADD CONSTRAINT {name} {rule}")


async def test_an_acknowledged_referral_that_nobody_has_is_found(told: Told) -> None:
    clinic, notes = told
    notes.operations.append(
        Operation(token="x|y", referral="00000000-0000-7000-8000-000000000000", attempts=1)
    )
    assert "I1" in kinds(await audit(clinic.databases, notes))


async def test_a_letter_without_a_message_is_found(told: Told) -> None:
    clinic, notes = told
    notes.letters = Counter({"<nobody@clinic.example>": 1})
    assert "I8" in kinds(await audit(clinic.databases, notes))


async def damage(clinic: TestClinic, service: str, statement: str) -> None:
    """Stop the workers, so that nobody heals it, and do what the constraints would not allow."""
    for worker in clinic.workers.values():
        await worker.stop()
    async with clinic.databases[service].transaction() as tx:
        driver = await tx.driver()
        await driver.execute(f"SET LOCAL session_replication_role = replica; {statement}")


def kinds(findings: list[str]) -> set[str]:
    """Give the numbers of the invariants that do not hold."""
    return {finding.partition(":")[0] for finding in findings}
