"""Columns that every FHIR resource of ours has, whatever service owns it.

Invariants:
- `version` is meta.versionId, dense from 1, and changes with the bytes (`shared.fhir.store.put`).
- `event_version` is the version that the aggregate's newest event carries, dense from 1 (`outbox.publish`).
- Whoever changes either holds the row's lock: it was inserted in this transaction or read FOR UPDATE.
- Times are aware UTC; a naive time is refused when it is bound.
"""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from shared.ids import new_id


class AggregateRow(SQLModel):
    """A row that events are published about."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    event_version: int = 0


class ResourceRow(AggregateRow):
    """A row that is also a FHIR resource: its bytes as they are answered, beside the columns we search by."""

    version: int = 0
    last_updated: datetime | None = Field(default=None, index=True)
    body: bytes = b""
