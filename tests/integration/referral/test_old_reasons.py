"""What was kept in words before there were codes is read as it was written."""

from sqlalchemy import MetaData

from deploy.services import package
from services.referral.models.facts import Finding
from services.referral.models.rows import Referral
from shared.db import migrate
from shared.reasons import as_written
from tests.conftest import MakeDatabase
from tests.integration.referral.test_open_tasks import a_referral

_RULES = [
    {"rule": "stream-public", "text": "The payer's stream is public.", "elements": ["Coverage.type"]},
    {"rule": "adult-only", "text": "The patient is under 18.", "elements": ["Patient.birthDate"]},
]


async def test_old_sentences_are_as_written_and_no_sentence_is_no_reason(make_database: MakeDatabase) -> None:
    database = await make_database(MetaData())
    await migrate.upgrade(database, package=package("referral"), to="0004")
    async with database.transaction() as tx:
        spoken, silent = await a_referral(tx), await a_referral(tx)
        await tx.run(
            "UPDATE referral SET reason = $2, doubt = $3, rules = $4 WHERE id = $1",
            spoken,
            "Declined by the clinic: no capacity",
            "An identifier belongs to somebody else.",
            _RULES,
        )
    await migrate.upgrade(database, package=package("referral"))

    async with database.transaction() as tx:
        rows = {row.id: row for row in await tx.rows(Referral, "SELECT * FROM referral")}
    assert rows[spoken].reason == [as_written("Declined by the clinic: no capacity")]
    assert rows[spoken].doubt
    assert rows[spoken].rules == [
        Finding(rule=rule["rule"], reasons=(as_written(rule["text"]),), elements=(*rule["elements"],))
        for rule in _RULES
    ]
    assert (rows[silent].reason, rows[silent].funding, rows[silent].rules) == ([], [], [])
    assert not rows[silent].doubt
