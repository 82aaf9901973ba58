"""Guarantees from before there were priorities keep their days, and get a second promise."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy import MetaData

from services.scheduling.models.rows import Guarantee, Referral
from shared.db import Database, migrate
from tests.conftest import MakeDatabase
from tests.support.sql import sql

# The 30th of March in Toronto is over.
DUE = datetime(2026, 3, 31, 4, tzinfo=UTC)
_REFERRAL = """
INSERT INTO referral (id, patient_id, programme, site, requester, accepted_at, sent_at, complete_at,
  due_on, due_at, unavailable, state, ended_because, team)
VALUES (:id, 'p', 'rehab', 'toronto', 'practice', now(), now(), now(), '2026-03-30', :due, '[]', :state, '[]',
  '{}')
"""
_GUARANTEE = """
INSERT INTO guarantee (id, event_version, version, body, referral_id, patient_id, site, requester, status,
  due_at)
VALUES (:id, 1, 1, '', :id, 'p', 'toronto', 'practice', :status, :due)
"""
_TIMERS = "SELECT ref, due_at FROM timer WHERE kind = 'guarantee-second-due' ORDER BY due_at"


async def an_old_one(database: Database, *, status: str, state: str = "open") -> UUID:
    referral = uuid4()
    async with database.transaction() as tx:
        await sql(tx, _REFERRAL, id=referral, due=DUE, state=state)
        await sql(tx, _GUARANTEE, id=referral, due=DUE, status=status)
    return referral


async def test_are_routine_on_the_same_day_and_look_at_their_second_promise(
    make_database: MakeDatabase,
) -> None:
    database = await make_database(MetaData())
    await migrate.upgrade(database, package="services.scheduling", to="0020")
    broken = await an_old_one(database, status="breached")
    await an_old_one(database, status="breached", state="ended")
    await an_old_one(database, status="on-track")
    await an_old_one(database, status="met")
    await an_old_one(database, status="ended", state="ended")

    await migrate.upgrade(database, package="services.scheduling")

    second = datetime(2026, 4, 28, 4, tzinfo=UTC)
    async with database.transaction() as tx:
        referrals = await tx.rows(Referral, "SELECT * FROM referral")
        guarantees = await tx.rows(Guarantee, "SELECT * FROM guarantee")
        timers = (await sql(tx, _TIMERS)).all()
    assert {(row.priority, row.due_at) for row in referrals} == {("routine", DUE)}
    assert {(row.due_at, row.second_due_at, row.second_breached_at) for row in guarantees} == {
        (DUE, second, None)
    }
    assert [tuple(timer) for timer in timers] == [(str(broken), second)]
