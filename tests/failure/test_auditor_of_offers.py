"""The auditor finds what is wrong with freed times that are offered (I16): of sound ones it says nothing."""

import contextlib
from typing import cast

import pytest

from shared.db import Database
from tests.failure.audit.evidence import Evidence, published_on_postgres
from tests.failure.audit.offers import offers
from tests.failure.history import History
from tests.failure.test_auditor import OneTransaction, Undone
from tests.journeys.test_offers_by_link import offered
from tests.support.clinic import TestClinic
from tests.support.patients import call, secret_in

_OPEN = "(SELECT round_id FROM offer WHERE status = 'requested' LIMIT 1)"
_SESSION = "'00000000-0000-0000-0000-000000000001'"
WHILE_IT_IS_OFFERED = {
    "offered and not held": f"DELETE FROM occupancy WHERE appointment = {_OPEN}",
    "holds something else": "DELETE FROM occupancy WHERE ctid = (SELECT ctid FROM occupancy"
    f" WHERE live AND appointment = {_OPEN} LIMIT 1)",
    "is over, and somebody is asked": f"UPDATE offer_round SET status = 'left' WHERE id = {_OPEN}",
    "waits for nothing": "DELETE FROM timer WHERE kind = 'ask-next'",
    "is about another visit": "UPDATE offer SET had_start = had_start + interval '1 hour'"
    " WHERE status = 'requested'",
    "more seats of": "INSERT INTO group_session (id, site, programme, visit_type, practitioner, colleagues,"
    " equipment, starts_at, ends_at, seats, status) SELECT "
    f"{_SESSION}, site, programme, 'back-school', practitioner, colleagues, equipment, starts_at, ends_at,"
    " 2, 'open' FROM offer_round LIMIT 1;"
    f" UPDATE appointment SET group_session = {_SESSION}, seat = place FROM (SELECT id AS one,"
    " row_number() OVER () AS place FROM appointment WHERE status = 'booked' LIMIT 2) AS two WHERE id = one;"
    f" UPDATE offer_round SET group_session = {_SESSION}, seat = 3 WHERE id = {_OPEN}",
}
ONCE_IT_IS_TAKEN = {
    "is taken and 2 took it": "DROP INDEX one_yes_per_round; UPDATE offer SET status = 'completed'"
    " WHERE round_id = (SELECT id FROM offer_round WHERE status = 'taken')",
    "is left and 1 took it": "UPDATE offer_round SET status = 'left' WHERE status = 'taken'",
    "took a time 0 times and was told 1": "UPDATE offer SET status = 'rejected' WHERE status = 'completed'",
    "took a time 1 times and was told 0": "DELETE FROM event_log"
    " WHERE headers ->> 'ce_type' = 'offer.accepted'",
}


async def found(clinic: TestClinic, damage: str = "SELECT 1") -> list[str]:
    """List what the auditor says of offers after some damage, which is then undone; constraints are off."""
    findings: list[str] = []
    with contextlib.suppress(Undone):
        async with clinic.databases["scheduling"].transaction() as tx:
            await tx.run("; ".join(("SET LOCAL session_replication_role = replica", damage)))
            databases = {**clinic.databases, "scheduling": cast(Database, OneTransaction(tx))}
            published = await published_on_postgres(databases)
            evidence = Evidence(databases=databases, history=History(), published=published)
            findings += [finding async for finding in offers(evidence)]
            raise Undone
    return findings


@pytest.mark.timeout(300)
async def test_sound_offers_give_no_finding_and_damage_of_each_kind_is_found() -> None:
    async with offered(2) as (clinic, mailbox, [one, _]):
        assert await found(clinic) == []
        for words, damage in WHILE_IT_IS_OFFERED.items():
            assert any(words in finding for finding in await found(clinic, damage)), words
        await call(clinic, "$answer", secret_in(one.letters(mailbox)[0]), answer="accepted")
        await clinic.settle()
        assert await found(clinic) == []
        for words, damage in ONCE_IT_IS_TAKEN.items():
            assert any(words in finding for finding in await found(clinic, damage)), words
