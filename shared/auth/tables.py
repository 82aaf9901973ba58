"""The identity database: which client assertions were used already (people: shared/auth/people)."""

from sqlalchemy import Column, DateTime, Index, MetaData, Table, Text

from shared.db import Transaction

METADATA = MetaData()

Table(
    "used_assertion",
    METADATA,
    Column("client", Text, primary_key=True),
    Column("jti", Text, primary_key=True),
    Column("machine_expires_at", DateTime(timezone=True), nullable=False),
    Index("used_assertion_by_expiry", "machine_expires_at"),
)


_NOTE = """
INSERT INTO used_assertion (client, jti, machine_expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""


async def use_once(tx: Transaction, *, client: str, jti: str, expires_at: object, now: object) -> bool:
    """Note that an assertion is used; tell whether it was the first time. Expired ones are forgotten."""
    await tx.run("DELETE FROM used_assertion WHERE machine_expires_at < $1", now)
    return await tx.run(_NOTE, client, jti, expires_at) == 1
