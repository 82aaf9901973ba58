"""Of a kind at most one Task of a referral is open, whatever "open" is at the moment."""

import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import MetaData

from deploy.services import package
from services.referral.states import OPEN_TASKS
from shared.db import Database, Transaction, migrate
from tests.conftest import MakeDatabase

AT = datetime(2026, 3, 2, 15, tzinfo=UTC)
LATER = datetime(2026, 3, 3, 15, tzinfo=UTC)


async def a_referral(tx: Transaction, *, old: bool = True) -> UUID:
    """Write a referral, as a version wrote it that knew no codes of reasons, or as one of today."""
    patient, referral = uuid4(), uuid4()
    more, values = "", "'', '', ''"
    if not old:
        more = " priority, priority_by_person, reviewers, has_duplicates, doubt,"
        values = "'routine', false, '{}', false, false, '[]', '[]', '[]'"
    of_today = ("", "") if old else (", deceased", ", false")
    await tx.run(
        f"INSERT INTO patient (id, event_version, version, body, identifiers, family, given{of_today[0]})"
        f" VALUES ($1, 0, 0, '', '{{}}', '', ''{of_today[1]})",
        patient,
    )
    await tx.run(
        f"INSERT INTO referral (id, event_version, version, body, identifiers, patient_id, requester, sender,"
        f" state, status, intent, turn,{more} reason, funding, sessions, rules, unavailable, asked, team,"
        " answer, unacknowledged, sent_at, due_on, site) VALUES ($1, 0, 0, '', '{}', $2, 'p', 'p',"
        f" 'emergency-redirected', 'active', 'order', 'clinic', {values}, '[]', '[]', '{{}}', '{{}}', '[]',"
        " true, $3, $4, 'main')",
        referral,
        patient,
        AT,
        AT.date(),
    )
    return referral


async def a_task(
    tx: Transaction,
    referral: UUID,
    status: str,
    *,
    at: datetime = AT,
    due: str | None = None,
    owner: str = "clinic",
) -> UUID:
    task_id = uuid4()
    body = {
        "resourceType": "Task",
        "id": str(task_id),
        "meta": {"versionId": "1", "profile": ["https://kept.example"]},
        "status": status,
        "owner": {"reference": f"Organization/{owner}"},
    } | ({"restriction": {"period": {"end": due}}} if due else {})
    await tx.run(
        "INSERT INTO task (id, event_version, version, last_updated, body, referral_id, patient_id, code,"
        " status, owner, identifiers, authored_on)"
        " VALUES ($1, 0, 1, $2, $3, $4, $5, 'telephone-referrer', $6, $7, '{}', $2)",
        task_id,
        at,
        json.dumps(body).encode(),
        referral,
        uuid4(),
        status,
        owner,
    )
    return task_id


async def before_the_wider_index(make_database: MakeDatabase) -> Database:
    database = await make_database(MetaData())
    await migrate.upgrade(database, package=package("referral"), to="0002")
    return database


async def after(database: Database, task: UUID) -> tuple[str, dict[str, object]]:
    (row,) = await database.fetch("SELECT status, version, body FROM task WHERE id = $1", task)
    body = json.loads(row["body"])
    assert body["status"] == row["status"]
    assert body["meta"] == body["meta"] | {
        "versionId": str(row["version"]),
        "profile": ["https://kept.example"],
    }
    return row["status"], body


@pytest.mark.parametrize("first", OPEN_TASKS)
@pytest.mark.parametrize("second", OPEN_TASKS)
async def test_a_second_open_task_of_a_kind_is_refused(
    referral_db: Database, first: str, second: str
) -> None:
    async with referral_db.transaction() as tx:
        referral = await a_referral(tx, old=False)
        await a_task(tx, referral, "completed")
        await a_task(tx, referral, first)
    with pytest.raises(asyncpg.UniqueViolationError, match="one_open_task_of_a_kind"):
        async with referral_db.transaction() as tx:
            await a_task(tx, referral, second)


class TestTheUpgrade:
    async def test_makes_two_open_tasks_one_that_keeps_owner_and_earlier_due_date(
        self, make_database: MakeDatabase
    ) -> None:
        database = await before_the_wider_index(make_database)
        async with database.transaction() as tx:
            referral = await a_referral(tx)
            early = await a_task(tx, referral, "received", due="2026-03-02T16:00:00.000Z")
            taken = await a_task(
                tx, referral, "in-progress", at=LATER, due="2026-03-03T16:00:00.000Z", owner="who-has-begun"
            )
            await tx.run(
                "INSERT INTO timer (kind, ref, due_at) VALUES ('emergency-escalation', $1, $2)",
                str(referral),
                LATER,
            )
        await migrate.upgrade(database, package=package("referral"))
        status, stays = await after(database, taken)
        assert (status, stays["owner"]) == ("in-progress", {"reference": "Organization/who-has-begun"})
        assert stays["restriction"] == {"period": {"end": "2026-03-02T16:00:00.000Z"}}
        status, ended = await after(database, early)
        assert status == "cancelled"
        reason = "It asked for the same as another open Task of this referral."
        assert ended["statusReason"] == {"text": reason}
        kept = await database.fetch("SELECT id, version, body FROM resource_version ORDER BY id")
        assert {(row["id"], row["version"]) for row in kept} == {(str(early), 1), (str(taken), 1)}
        assert [row["ref"] for row in await database.fetch("SELECT ref FROM timer")] == [str(referral)]
        await database.close()

    async def test_leaves_a_single_open_task_as_it_is(self, make_database: MakeDatabase) -> None:
        database = await before_the_wider_index(make_database)
        async with database.transaction() as tx:
            task = await a_task(tx, await a_referral(tx), "on-hold")
            await a_task(tx, await a_referral(tx), "requested")
        await migrate.upgrade(database, package=package("referral"))
        assert (await after(database, task))[0] == "on-hold"
        assert await database.fetch("SELECT FROM resource_version") == []
        await database.close()
