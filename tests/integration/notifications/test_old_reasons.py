"""Why a message of an older version did not arrive is read as it was written."""

from uuid import uuid4

from sqlalchemy import MetaData

from deploy.services import package
from services.notifications.models.rows import Notification
from shared.db import migrate
from shared.reasons import as_written
from tests.conftest import MakeDatabase

_MESSAGE = """
INSERT INTO notification (id, event_version, version, body, event_id, event_type, event_key, audience,
    recipient, recipient_id, channel, status, reason, created_at, attempts)
VALUES ($1, 0, 1, '', $2, 'referral.received', 'p', 'referrer', 'Organization/x', 'x', 'email', $3, $4,
    now(), 0)
"""


async def test_old_sentences_are_as_written_and_a_message_that_arrived_has_no_reason(
    make_database: MakeDatabase,
) -> None:
    database = await make_database(MetaData())
    await migrate.upgrade(database, package=package("notifications"), to="0003")
    async with database.transaction() as tx:
        await tx.run(_MESSAGE, uuid4(), "e1", "not-done", "There is no mail server.")
        await tx.run(_MESSAGE, uuid4(), "e2", "completed", None)
    await migrate.upgrade(database, package=package("notifications"))
    async with database.transaction() as tx:
        rows = await tx.rows(Notification, "SELECT * FROM notification ORDER BY event_id")
    assert [row.reason for row in rows] == [as_written("There is no mail server."), None]
