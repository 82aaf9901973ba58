"""What tests of events need: tables of no service, an aggregate to publish about, and a way to write records.

`new_toy` puts an aggregate into a database, `claim` publishes its next event; METADATA and CONSUMER_METADATA
are the same tables for two databases.
"""

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Integer, MetaData, Table, Text
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from shared.actor import Actor
from shared.context import Context
from shared.db import Database, Transaction
from shared.db.models import Aggregate
from shared.db.tables import add_shared_tables
from shared.events.catalog.types import DomainEvent
from shared.events.envelope import Event
from shared.events.outbox import publishing
from shared.events.topics import REFERRAL
from tests.support.context import a_context
from tests.support.sql import sql

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BY_A_TEST = a_context(at=NOON, actor=Actor(reference="Device/test"))


class ToyClaimed(
    DomainEvent,
    name="toy.claimed",
    topic=REFERRAL,
    focus="Basic",
    carries=("Basic",),
    emitted="A test did.",
    catalogued=False,
):
    """An event of a service that exists only in tests."""


CLAIMED = ToyClaimed


class ToyBase(SQLModel, registry=registry()):
    """The models of a service that exists only in tests."""


class Toy(Aggregate):
    """An aggregate; `note` is what a handler or a use case writes."""

    __tablename__ = "toy"

    note: str = ""


class ToyTable(Toy, ToyBase, table=True):
    """The table of aggregates."""


add_shared_tables(ToyBase.metadata)
Table(
    "effect",
    ToyBase.metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("event_id", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("version", Integer, nullable=False),
)
METADATA: MetaData = ToyBase.metadata
CONSUMER_METADATA = MetaData()
for _table in METADATA.tables.values():
    _table.to_metadata(CONSUMER_METADATA)


def basic(of: Toy) -> Mapping[str, Any]:
    """Give a small resource to publish about an aggregate."""
    return {"resourceType": "Basic", "id": str(of.id), "code": {"text": "a toy"}}


async def new_toy(database: Database) -> UUID:
    """Put an aggregate into the database."""
    async with database.transaction() as tx:
        toy = Toy()
        await tx.insert(toy)
    return toy.id


class Undone(Exception):
    """The test rolls a transaction back."""


async def claim_and_roll_back(database: Database, toy_id: UUID, *, key: str) -> None:
    """Publish in a transaction that is rolled back after its rows were sent."""
    with contextlib.suppress(Undone):
        async with database.transaction() as tx:
            await claim(tx, toy_id, key=key)
            raise Undone


async def claim(tx: Transaction, toy_id: UUID, *, key: str) -> str:
    """Lock an aggregate and publish its next event, as a use case does."""
    toy = await tx.row(Toy, "SELECT * FROM toy WHERE id = $1 FOR UPDATE", toy_id)
    assert toy is not None
    [event_id] = await publishing.publish(BY_A_TEST, tx, toy, claimed(toy, key=key))
    return event_id


def claimed(toy: Toy, *, key: str, focus: Mapping[str, Any] | None = None) -> ToyClaimed:
    """Make the event that an aggregate was claimed."""
    return ToyClaimed(patient_id=key, referral_id=None, resources=(focus or basic(toy),))


async def record(ctx: Context, tx: Transaction, event: Event) -> None:
    """Handle an event by writing an effect."""
    await sql(
        tx,
        "INSERT INTO effect (event_id, key, version) VALUES (:id, :key, :v)",
        id=event.id,
        key=event.key,
        v=event.version,
    )


async def effects(database: Database) -> list[tuple[str, str, int]]:
    """Give every effect as (event id, key, version) in the order in which they happened."""
    async with database.transaction() as tx:
        rows = await sql(tx, "SELECT event_id, key, version FROM effect ORDER BY id")
        return [(row.event_id, row.key, row.version) for row in rows]


async def count(database: Database, table: str) -> int:
    """Count the rows of a table."""
    async with database.transaction() as tx:
        return int((await sql(tx, f"SELECT count(*) FROM {table}")).scalar())
