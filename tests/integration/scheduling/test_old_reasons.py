"""What was kept in words before there were codes is read as it was written."""

from uuid import uuid4

from sqlalchemy import MetaData

from services.scheduling.models.rows import Appointment, Referral, Series
from shared.db import migrate
from shared.reasons import as_written
from tests.conftest import MakeDatabase
from tests.support.sql import sql

_REFERRAL = """
INSERT INTO referral (id, patient_id, programme, site, requester, accepted_at, sent_at, complete_at,
  due_on, due_at, unavailable, state, ended_because)
VALUES (:id, 'p', 'rehab', 'toronto', 'practice', now(), now(), now(), now(), now(), '[]', 'ended', :why)
"""
_SERIES = """
INSERT INTO series (id, event_version, version, body, referral_id, identifiers, patient_id, site, requester,
  status, note)
VALUES (:referral, 0, 1, '', :referral, '{}', 'p', 'toronto', 'practice', 'booked', '')
"""
_VISIT = """
INSERT INTO appointment (id, event_version, version, body, referral_id, kind, status, patient_id, programme,
  site, requester, minutes, reason_code, reason_text, patient_caused)
VALUES (:id, 0, 1, '', :referral, 'first', 'cancelled', 'p', 'rehab', 'toronto', 'practice', 60, 'prov',
  :why, false)
"""


async def test_old_sentences_are_as_written_and_no_sentence_is_no_reason(make_database: MakeDatabase) -> None:
    database = await make_database(MetaData())
    await migrate.upgrade(database, package="services.scheduling", to="0003")
    referral, told, untold = uuid4(), uuid4(), uuid4()
    async with database.transaction() as tx:
        await sql(tx, _REFERRAL, id=referral, why="the referral was closed")
        await sql(tx, _SERIES, referral=referral)
        await sql(tx, _VISIT, id=told, referral=referral, why="Moved away.")
        await sql(tx, _VISIT, id=untold, referral=referral, why=None)

    await migrate.upgrade(database, package="services.scheduling")

    async with database.transaction() as tx:
        ended = await tx.rows(Referral, "SELECT * FROM referral")
        series = await tx.rows(Series, "SELECT * FROM series")
        visits = {visit.id: visit for visit in await tx.rows(Appointment, "SELECT * FROM appointment")}
    assert ended[0].ended_because == [as_written("the referral was closed")]
    assert series[0].reasons == []
    assert (visits[told].reasons, visits[untold].reasons) == ([as_written("Moved away.")], [])
