"""The auditor can fail: every invariant is seen broken on a database that was damaged on purpose."""

import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast
from zoneinfo import ZoneInfo

import httpx
import pytest
import pytest_asyncio

from deploy.demo import insurer
from deploy.demo.story import Story, parameters
from shared.db import Database, Transaction
from tests.failure.audit import Evidence, audit, published_on_postgres
from tests.failure.audit.evidence import lag_on_postgres
from tests.failure.audit.handled import HANDLED
from tests.failure.history import History, Operation, Outcome
from tests.failure.referrals import ROUTINE, a_referral, new_key, sender_of
from tests.failure.scripts import AtOnce
from tests.support.clinic import TestClinic

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("auditor")]

DAMAGE = [
    # invariant, service, statement
    ("I1", "referral", "DELETE FROM referral"),
    ("I1", "referral", "UPDATE patient SET version = version + 1"),
    ("I1", "referral", "DELETE FROM idempotency"),
    ("I10", "referral", "UPDATE idempotency SET status = 201"),
    ("I10", "referral", "UPDATE referral SET body = (SELECT body FROM referral ORDER BY id LIMIT 1)"),
    ("I2", "referral", "DELETE FROM event_log WHERE log_offset = 0"),
    ("I2", "referral", "INSERT INTO event_log SELECT topic, 1000, key, headers, value, machine_at"
     " FROM event_log WHERE log_offset = 0"),
    ("I2", "scheduling", "UPDATE appointment SET event_version = event_version + 1"),
    ("I4", "referral", "UPDATE event_log SET log_offset = 1000 - log_offset"),
    ("I3", "careteam", "DELETE FROM inbox"),
    ("I3", "scheduling", "DELETE FROM inbox WHERE event_id = (SELECT min(event_id) FROM inbox)"),
    ("I3", "notifications", "DELETE FROM event_log WHERE topic = 'feed' AND log_offset = 0"),
    ("I3", "notifications", "INSERT INTO event_log SELECT topic, 1000, key, headers, value, machine_at"
     " FROM event_log WHERE topic = 'feed' AND log_offset = 0"),
    ("I3", "scheduling", "INSERT INTO event_log SELECT topic, 1000, key, headers || '{\"ce_id\": \"other\"}',"
     " value, machine_at FROM event_log WHERE headers->>'ce_type' = 'appointment.booked' LIMIT 1"),
    ("I5", "scheduling", "UPDATE occupancy SET live = false"),
    ("I5", "scheduling", "UPDATE appointment SET starts_at = now(), ends_at = now() + interval '1 hour'"),
    ("I5", "scheduling", "UPDATE appointment SET status = 'pending', held_by = 'x', held_until = now(),"
     " starts_at = coalesce(starts_at, now()), ends_at = coalesce(ends_at, now() + interval '1 hour')"),
    ("I5", "scheduling", "UPDATE occupancy SET until = now()"),
    ("I5", "scheduling", "INSERT INTO group_session VALUES (gen_random_uuid(), 'toronto', 'rapid-access',"
     " 'back-school', 'physiotherapist', '{}', 'group-room', '{}', now(), now() + interval '1 hour', 6,"
     " 'open')"),
    ("I6", "referral", "UPDATE resource_version SET body = convert_to(replace("
     "convert_from(body, 'UTF8'), '\"code\":\"awaiting-triage\"', '\"code\":\"merged\"'), 'UTF8')"),
    ("I6", "referral", "DELETE FROM resource_version WHERE type = 'Task' AND version = 2"),
    ("I7", "scheduling", "UPDATE appointment SET status = 'cancelled', reason_code = 'x'"),
    ("I7", "referral", "UPDATE referral SET state = 'awaiting-booking'"),
    ("I7", "referral", "UPDATE referral SET state = 'revoked'"),
    ("I7", "referral", "DELETE FROM timer"),
    ("I7", "referral", "UPDATE referral SET state = 'information-requested';"
     " UPDATE task SET status = 'on-hold' WHERE code = 'process-request'"),
    ("I7", "referral", "UPDATE referral SET state = 'merged', merged_into ="
     " (SELECT id FROM referral WHERE state = 'emergency-redirected');"
     " UPDATE referral SET state = 'revoked' WHERE id IN (SELECT merged_into FROM referral)"),
    ("I7", "referral", "UPDATE patient SET deceased = true"),
    ("I7", "referral", "UPDATE task SET status = 'completed'"),
    ("I7", "careteam", "UPDATE team SET status = 'inactive', ended_at = now()"),
    ("I8", "notifications", "DELETE FROM notification"),
    ("I8", "notifications", "UPDATE notification SET event_id = id::text"),
    ("I8", "notifications", "UPDATE notification SET status = 'completed', next_attempt_at = NULL"),
    ("I8", "notifications", "UPDATE notification SET audience = 'patient', visit_id = 'x',"
     " visit_starts_at = now() WHERE id = (SELECT min(id::text)::uuid FROM notification"
     " WHERE audience = 'coordinator')"),
    ("I12", "referral", "UPDATE patient SET requester = NULL"),
    ("I12", "referral", "DELETE FROM source_record"),
    ("I12", "referral", "UPDATE patient SET requester = (SELECT requester FROM source_record LIMIT 1)"),
    ("I12", "referral", "DELETE FROM patient_identifier"),
    ("I12", "referral", "UPDATE patient SET identifiers = '{}'"),
    ("I12", "referral", "UPDATE patient SET replaced_by ="
     " (SELECT id FROM patient WHERE replaced_by IS NOT NULL) WHERE replaced_by IS NULL"),
    ("I12", "scheduling", "UPDATE known_patient SET is_deceased = NOT is_deceased"),
    ("I12", "scheduling", "UPDATE known_patient SET replaced_by = 'x'"),
    ("I13", "scheduling", "UPDATE unavailable_time SET starts_at = (SELECT min(starts_at) FROM appointment),"
     " ends_at = (SELECT max(ends_at) FROM appointment)"),
    ("I13", "scheduling", "UPDATE roster SET document = jsonb_set(document, '{people}', '[]')"),
    ("I13", "careteam", "UPDATE roster SET revision = revision - 1"),
    ("I13", "notifications", "DELETE FROM roster"),
    ("I14", "scheduling", "INSERT INTO event_log SELECT topic, 1000, key,"
     " headers || '{\"ce_id\": \"other\"}', value, machine_at FROM event_log"
     " WHERE headers->>'ce_type' = 'appointment.booked' LIMIT 1"),
    ("I14", "scheduling", "INSERT INTO resource_version SELECT 'Appointment', id::text, version,"
     " last_updated, body FROM appointment;"
     " UPDATE appointment SET version = version + 1, body = convert_to(replace("
     "convert_from(body, 'UTF8'), '\"start\":\"20', '\"start\":\"21'), 'UTF8')"),
    ("I14", "scheduling", "UPDATE telling_task SET starts_at = starts_at + interval '1 day'"
     " WHERE status = 'requested'"),
    ("I15", "scheduling", "UPDATE funding SET grants = jsonb_set(grants, '{0,units}', '11')"),
    ("I15", "scheduling", "UPDATE funding SET grants = '[{\"discipline\": \"psychology\", \"units\": 40}]'"),
    ("I15", "scheduling", "UPDATE funding SET grants = jsonb_set(grants, '{0,ends_on}', '\"2000-01-01\"')"),
    ("I15", "scheduling", "UPDATE funding SET status = 'denied'"),
    ("I15", "scheduling", "UPDATE series SET wanted = '{\"physiotherapy\": 11}'"),
    ("I15", "scheduling", "UPDATE series SET short = '{\"physiotherapy\": 1}'"),
    ("I15", "scheduling", "UPDATE series SET status = 'not-booked'"),
    ("I15", "scheduling", "DELETE FROM appointment WHERE id = (SELECT id FROM appointment"
     " WHERE series_id IS NOT NULL ORDER BY starts_at LIMIT 1)"),
    ("I15", "scheduling", "UPDATE series SET body = convert_to((convert_from(body, 'UTF8')::jsonb"
     " #- '{entry,0}')::text, 'UTF8')"),
    ("I15", "scheduling", "DELETE FROM event_log WHERE headers->>'ce_type' = 'series.booked'"),
    ("I15", "scheduling", "INSERT INTO resource_version SELECT 'Appointment', id::text, version,"
     " last_updated, convert_to(replace(convert_from(body, 'UTF8'), '\"booked\"', '\"cancelled\"'), 'UTF8')"
     " FROM appointment; UPDATE appointment SET version = version + 1"),
    ("I15", "scheduling", "UPDATE roster SET document = jsonb_set(document, '{people,1,hours}',"
     " '[{\"days\": [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\"], \"from\": \"00:00\", \"to\":"
     " \"23:45\", \"programmes\": [\"functional-restoration\"]}]')"),
    ("I11", "careteam", "INSERT INTO timer (kind, ref, due_at) VALUES ('x', 'y', now())"),
    ("I11", "referral", "INSERT INTO held_key (consumer_group, key, state, machine_since)"
     " VALUES ('referral', 'x', 'retrying', now())"),
    ("I11", "scheduling", "INSERT INTO outbox (event_id, topic, key, headers, value, machine_at)"
     " VALUES ('x', 'x', 'x', '{}', '', now())"),
    ("I11", "scheduling", "UPDATE group_position SET next_offset = next_offset - 1"),
]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told() -> AsyncIterator[tuple[TestClinic, History]]:
    """A clinic that has booked two referrals and a series, redirected an emergency and merged two records of
    one person, and what their senders know.
    """
    async with TestClinic(start=datetime.now(UTC)) as clinic:
        history = History()
        for number, file in enumerate((ROUTINE, ROUTINE, "02-cauda-equina.json")):
            history.operations.append(await send(clinic, number, file))
        records = []
        for file in ("15-one-person.json", "15-one-person-misspelt.json"):
            history.operations.append(operation := await send(clinic, 9, file))
            records.append(operation.answer.partition(b"Patient/")[2].partition(b"/")[0].decode())
        await merge(clinic, *records)
        history.operations.append(await send(clinic, 10, "04-workplace-insurer.json"))
        await clinic.settle()
        await grant(clinic)
        await clinic.settle()
        for worker in clinic.workers.values():
            await worker.stop()
        yield clinic, history


Told = tuple[TestClinic, History]


class OneTransaction:
    """A database as it is seen inside one open transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Give the one transaction."""
        yield self._tx


class Undone(Exception):
    """Ends a transaction without a trace."""


async def send(clinic: TestClinic, number: int, file: str) -> Operation:
    """Send a referral and note what was answered."""
    identifier, body = a_referral(file, number)
    operation = Operation(
        party=sender_of(file), method="POST", path="/referral/fhir", key=new_key(), identifier=identifier
    )
    headers = {"Idempotency-Key": operation.key, "Content-Type": "application/fhir+json"}
    answer = await clinic.as_(operation.party).post("/referral/fhir", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    operation.outcome, operation.status = Outcome.ACKNOWLEDGED, answer.status_code
    operation.answer, operation.attempts = answer.content, 1
    return operation


async def grant(clinic: TestClinic) -> None:
    """Let the insurer grant the one series that it is asked for."""
    story = a_story(clinic)
    [claim] = await story.find("workplace-insurer", "/referral/fhir/Claim?status=active")
    await insurer.answer(story, "workplace-insurer", claim, "A1", weeks=12)


def a_story(clinic: TestClinic) -> Story:
    """Begin a story of the demo's kind, so that its acts can be used."""

    async def party(name: str) -> httpx.AsyncClient:
        return clinic.as_(name)

    return Story(
        number=0,
        title="",
        script=AtOnce(),
        clock=clinic.clock,
        begin=clinic.clock.now(),
        zone=ZoneInfo("America/Toronto"),
        parties=party,
        timeline=[],
        letters=lambda address: [],
    )


async def merge(clinic: TestClinic, into: str, merged: str) -> None:
    """Merge a record into another."""
    body = parameters(into={"reference": f"Patient/{into}"}, reason="The name was misspelt")
    answer = await clinic.as_("coordinator").post(f"/referral/fhir/Patient/{merged}/$merge", json=body)
    assert answer.status_code == 200, answer.text


async def examine(clinic: TestClinic, history: History, *damage: str, service: str = "referral") -> set[str]:
    """Hand everything to the auditor, as it is after some damage, which is then undone.

    Constraints and triggers are off for the damage. Gives the numbers of the invariants that do not hold.
    """
    findings: list[str] = []
    with contextlib.suppress(Undone):
        async with clinic.databases[service].transaction() as tx:
            await tx.run("; ".join(("SET LOCAL session_replication_role = replica", *damage)))
            databases = {**clinic.databases, service: cast(Database, OneTransaction(tx))}
            findings += await audit(
                Evidence(
                    databases=databases,
                    history=history,
                    published=await published_on_postgres(databases),
                    lag=await lag_on_postgres(databases),
                )
            )
            raise Undone
    return {finding.partition(":")[0] for finding in findings}


async def test_a_sound_clinic_gives_no_finding(told: Told) -> None:
    assert await examine(*told) == set()


@pytest.mark.parametrize(("invariant", "service", "statement"), DAMAGE)
async def test_damage_is_found(told: Told, invariant: str, service: str, statement: str) -> None:
    assert invariant in await examine(*told, statement, service=service)


async def test_the_table_of_who_handles_what_is_that_of_the_workers(told: Told) -> None:
    clinic, _ = told
    handled = {service: set(worker._handlers.table) for service, worker in clinic.workers.items()}
    assert handled == {
        service: set(handled["notifications"] if types is None else types)
        for service, types in HANDLED.items()
    }


async def test_a_double_booking_is_found(told: Told) -> None:
    found = await examine(
        *told,
        "ALTER TABLE occupancy DROP CONSTRAINT nobody_is_in_two_places",
        "UPDATE occupancy SET during = (SELECT during FROM occupancy ORDER BY appointment LIMIT 1)",
        service="scheduling",
    )
    assert "I5" in found


async def test_an_acknowledged_version_that_nobody_has_is_found(told: Told) -> None:
    clinic, history = told
    sent = history.operations[0]
    other = replace(sent, answer=sent.answer.replace(b"_history/1", b"_history/9"))
    assert "I1" in await examine(clinic, replace(history, operations=[*history.operations, other]))


async def test_a_letter_without_a_message_is_found(told: Told) -> None:
    clinic, history = told
    letters = Counter({"<nobody@clinic.example>": 1})
    assert "I8" in await examine(clinic, replace(history, letters=letters))


async def test_what_a_story_complains_of_is_found(told: Told) -> None:
    clinic, history = told
    assert "I10" in await examine(clinic, replace(history, complaints=["I10: answered otherwise"]))
