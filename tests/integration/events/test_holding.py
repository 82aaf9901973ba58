"""Events that came too early are held together."""

import pytest

from shared.events.inbox import held_events
from shared.events.inbox.handling import NotYet
from shared.events.inbox.incoming import IncomingRecord
from shared.events.topics import REFERRAL
from shared.events.transport.base import Record
from tests.conftest import MakeDatabase
from tests.support.events import METADATA
from tests.support.sql import sql
from tests.support.wire import PATIENCE


def arrived(number: int) -> IncomingRecord:
    """Give a record of a key of its own."""
    headers = {"ce_id": f"e{number}", "ce_type": "toy.claimed"}
    return IncomingRecord(
        Record(topic=REFERRAL, partition=0, offset=number, key=f"p{number}", headers=headers, value=b"{}")
    )


@pytest.mark.parametrize("number", [1, 200])
async def test_however_many_they_are_it_takes_two_statements(
    make_database: MakeDatabase, number: int
) -> None:
    database = await make_database(METADATA)
    early = [(arrived(place), NotYet("its cause")) for place in range(number)]
    before = database.round_trips

    async with database.transaction() as tx:
        await held_events.hold(tx, early, group="toy", retry_policy=PATIENCE)

    assert database.round_trips - before == 4, "with BEGIN and COMMIT"
    async with database.transaction() as tx:
        found = (await sql(tx, "SELECT event_id FROM held_event ORDER BY seq")).column()
        keys = (await sql(tx, "SELECT count(*) FROM held_key")).scalar()
    assert (found, keys) == ([f"e{place}" for place in range(number)], number)
