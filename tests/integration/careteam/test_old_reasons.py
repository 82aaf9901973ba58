"""What was kept in words before there were codes is read as it was written."""

from uuid import uuid4

from sqlalchemy import MetaData

from services.careteam.models.rows import EndedReferral, Team
from shared.db import migrate
from shared.reasons import as_written
from tests.conftest import MakeDatabase
from tests.support.sql import sql

_TEAM = """
INSERT INTO team (id, event_version, version, body, referral_id, patient_id, programme, site, status,
  formed_at, ended_at, ended_because, identifiers)
VALUES (:id, 0, 1, '', :referral, 'p', 'rehab', 'toronto', :status, now(), :ended_at, :why, '{}')
"""
_END = "INSERT INTO ended_referral (referral_id, reason, at) VALUES ('r1', 'the referral was closed', now())"


async def test_old_sentences_are_as_written_and_no_sentence_is_no_reason(make_database: MakeDatabase) -> None:
    database = await make_database(MetaData())
    await migrate.upgrade(database, package="services.careteam", to="0003")
    async with database.transaction() as tx:
        at = (await sql(tx, "SELECT now()")).scalar()
        over = {"id": uuid4(), "referral": "r1", "status": "inactive", "ended_at": at, "why": "discharged"}
        await sql(tx, _TEAM, **over)
        lives = {"id": uuid4(), "referral": "r2", "status": "active", "ended_at": None, "why": None}
        await sql(tx, _TEAM, **lives)
        await sql(tx, _END)

    await migrate.upgrade(database, package="services.careteam")

    async with database.transaction() as tx:
        teams = {team.referral_id: team for team in await tx.rows(Team, "SELECT * FROM team")}
        [ended] = await tx.rows(EndedReferral, "SELECT * FROM ended_referral")
    assert ended.reasons == [as_written("the referral was closed")]
    assert (teams["r1"].ended_because, teams["r2"].ended_because) == ([as_written("discharged")], [])
