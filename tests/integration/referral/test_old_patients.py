"""Patients whom several senders had referred before it was kept what each of them says."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import MetaData

from deploy.services import package
from services.referral import queries
from shared.auth.principal import Principal
from shared.auth.scopes import Scopes
from shared.db import Database, Transaction, migrate
from tests.conftest import MakeDatabase
from tests.support.sql import sql

AT = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
SHARED, ALONE = uuid4(), uuid4()


async def _insert(tx: Transaction, table: str, **values: Any) -> None:
    marks = ", ".join(f"${place}" for place in range(1, len(values) + 1))
    statement = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"
    await tx.run(statement, *values.values())


def _patient(patient_id: UUID, *, telephone: str) -> dict[str, Any]:
    body = {
        "resourceType": "Patient",
        "id": str(patient_id),
        "meta": {"versionId": "2"},
        "identifier": [
            {"system": "https://cards.example", "value": "é|1"},
            {"value": "bare"},
            {"system": "https://cards.example", "value": "gone", "use": "old"},
        ],
        "name": [{"family": "Tremblay", "given": ["Hélène", "Anne"]}],
        "telecom": [{"value": telephone}],
    }
    return {
        "id": patient_id,
        "event_version": 0,
        "version": 2,
        "last_updated": AT,
        "body": msgspec.json.encode(body),
        "identifiers": ["https://cards.example|é|1", "|bare", "https://other.example|9"],
        "family": "Tremblay",
        "given": "Hélène Anne",
        "deceased": False,
        "requester": "first",
    }


def _referral(patient_id: UUID, requester: str) -> dict[str, Any]:
    lists = (
        "identifiers",
        "reason",
        "funding",
        "sessions",
        "rules",
        "team",
        "asked",
        "unavailable",
        "answer",
    )
    flags = ("priority_by_person", "doubt", "unacknowledged", "has_duplicates")
    return {
        **{name: [] for name in (*lists, "reviewers")},
        **dict.fromkeys(flags, False),
        "id": uuid4(),
        "event_version": 1,
        "version": 1,
        "last_updated": AT,
        "body": b"{}",
        "patient_id": patient_id,
        "requester": requester,
        "sender": requester,
        "status": "active",
        "intent": "order",
        "priority": "routine",
        "sent_at": AT,
        "due_on": date(2026, 3, 30),
        "site": "toronto",
        "state": "accepted",
        "turn": "clinic",
    }


async def _old_rows(database: Database) -> None:
    async with database.transaction() as tx:
        for patient_id in (SHARED, ALONE):
            await _insert(tx, "patient", **_patient(patient_id, telephone="0199"))
            await _insert(tx, "referral", **_referral(patient_id, "first"))
            await sql(
                tx,
                "INSERT INTO resource_version (type, id, version, last_updated, body)"
                " VALUES ('Patient', :id, 1, :at, '{}')",
                id=str(patient_id),
                at=AT,
            )
        await _insert(tx, "referral", **_referral(SHARED, "second"))


def _sender(organization: str) -> Principal:
    scopes = Scopes.parse(["system/*.rs"])
    return Principal(client=organization, party="referrer", scopes=scopes, organization=organization)


async def test_are_shown_to_each_sender_as_far_as_its_words_were_kept(make_database: MakeDatabase) -> None:
    database = await make_database(MetaData())
    await migrate.upgrade(database, package=package("referral"), to="0009")
    await _old_rows(database)
    await migrate.upgrade(database, package=package("referral"))
    async with database.transaction() as tx:
        seen = {
            (who, patient_id): await queries.patients.as_seen(tx, _sender(who), patient_id)
            for who in ("first", "second")
            for patient_id in (SHARED, ALONE)
        }
        rows = {row.id: row for row in await sql(tx, "SELECT * FROM patient")}
        records = {row.requester: row for row in await sql(tx, "SELECT * FROM source_record")}
        versions = await sql(
            tx, "SELECT id FROM resource_version WHERE id = :id", id=str(records["first"].id)
        )
        assert len(list(versions)) == 1, "the earlier versions of the first sender go along"
    assert seen["second", ALONE] is None
    for patient_id in (SHARED, ALONE):
        of_first = seen["first", patient_id]
        assert of_first is not None
        assert (of_first.version, b"0199" in of_first.body) == (2, True)
    of_second = seen["second", SHARED]
    assert of_second is not None
    shown = msgspec.json.decode(of_second.body)
    assert (shown["id"], shown["name"]) == (str(SHARED), [{"family": "Tremblay", "given": ["Hélène"]}])
    assert shown.keys() == {"resourceType", "id", "meta", "name"}
    assert (rows[SHARED].requester, rows[ALONE].requester) == (None, "first")
    assert sorted(records["first"].identifiers) == ["https://cards.example|é|1", "|bare"]
    assert records["second"].identifiers == []
    assert set(records) == {"first", "second"}
    # They are found by what they are called now, each sender's by what that sender said.
    for row in (rows[SHARED], rows[ALONE], records["first"]):
        assert {"name:hel", "name=anne", "name=tremblay", "identifier:bare"} <= set(row.found_by)
    assert {"name=helene", "name=tremblay"} <= set(records["second"].found_by)
    assert "name=anne" not in records["second"].found_by
