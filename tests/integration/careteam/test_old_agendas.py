"""Cases that stood on agendas before they had positions get theirs, in the order in which they came."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import MetaData

from deploy.services import package
from shared.db import Transaction, migrate
from tests.conftest import MakeDatabase
from tests.support.sql import sql

AT = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
MEETING, OTHER = UUID(int=1), UUID(int=2)
FIRST, SECOND, ELSEWHERE, QUEUED = (UUID(int=number) for number in (11, 12, 13, 14))
ROW = {"event_version": 1, "version": 3, "last_updated": AT}


async def _insert(tx: Transaction, table: str, **values: Any) -> None:
    marks = ", ".join(f"${place}" for place in range(1, len(values) + 1))
    await tx.run(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", *values.values())


async def _meeting(tx: Transaction, id: UUID, *, state: str, starts_at: datetime) -> None:
    times = {"starts_at": starts_at, "ends_at": starts_at + timedelta(hours=1)}
    body = {"body": b"{}", "site": "toronto", "chair": "physiatrist", "status": "booked"}
    await _insert(tx, "meeting", id=id, **ROW, **body, **times, state=state)


async def _case(tx: Transaction, id: UUID, meeting: UUID | None) -> None:
    """Insert a case of a team of its own, as it was before."""
    team = UUID(int=id.int + 100)
    about = {"referral_id": str(id), "patient_id": str(id)}
    await _insert(
        tx,
        "team",
        id=team,
        **ROW,
        **about,
        body=b"{}",
        site="toronto",
        programme="chronic-pain",
        status="active",
        formed_at=AT,
        ended_because=[],
        identifiers=[],
    )
    stated = {"type": {"text": "meeting"}, "valueReference": {"reference": f"Appointment/{meeting}"}}
    body = {"resourceType": "Task", "id": str(id)} | ({"input": [stated]} if meeting else {})
    await _insert(
        tx,
        "care_task",
        id=id,
        **ROW,
        **about,
        body=msgspec.json.encode(body),
        team_id=team,
        code="agenda-item",
        state="on-agenda" if meeting else "queued",
        status="requested",
        owner="physiatrist",
        authored_at=AT,
        meeting_id=meeting,
    )


async def test_each_gets_its_position_and_its_resource_says_it(make_database: MakeDatabase) -> None:
    database = await make_database(MetaData())
    await migrate.upgrade(database, package=package("careteam"), to="0010")
    async with database.transaction() as tx:
        await _meeting(tx, MEETING, state="scheduled", starts_at=AT)
        await _meeting(tx, OTHER, state="closed", starts_at=AT.replace(day=1))
        for id, meeting in ((SECOND, MEETING), (FIRST, MEETING), (ELSEWHERE, OTHER), (QUEUED, None)):
            await _case(tx, id, meeting)
    await migrate.upgrade(database, package=package("careteam"))
    async with database.transaction() as tx:
        rows = {row.id: row for row in await sql(tx, "SELECT id, position, body FROM care_task")}
    assert {id: row.position for id, row in rows.items()} == {FIRST: 1, SECOND: 2, ELSEWHERE: 1, QUEUED: None}
    said = msgspec.json.decode(rows[SECOND].body)["input"]
    assert said[0]["valueReference"] == {"reference": f"Appointment/{MEETING}"}
    assert said[1] == {"type": {"text": "position"}, "valuePositiveInt": 2}
    assert msgspec.json.decode(rows[QUEUED].body) == {"resourceType": "Task", "id": str(QUEUED)}
