"""The outbox's row as a transaction adds it; one mapping serves the outbox table of every service's database.

The table itself is declared in shared/db/tables.py. Its `id` is left out on purpose: the database gives it in
the order of insertion, and a row that is known by its `event_id` need not be read back.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Column
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class OutboxBase(SQLModel, registry=registry()):
    """The outbox's own registry: its metadata makes no tables."""


class OutboxEntry(OutboxBase, table=True):
    """One event that waits to be sent."""

    __tablename__ = "outbox"

    event_id: str = Field(primary_key=True)
    topic: str
    key: str
    headers: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    value: bytes
    machine_at: datetime
