"""The tables that every service's database has: events out and in, timers, history, idempotency, audit.

`add_shared_tables(Base.metadata)` puts them beside a service's own, so that its migrations make them.
Business time columns hold care time, the columns whose name begins with `machine_` hold machine time.
"""

from collections.abc import Iterator

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB


def add_shared_tables(metadata: MetaData) -> None:
    """Declare the shared tables in this metadata."""
    for declare in (
        _outbox,
        _log,
        _inbox,
        _held,
        _timers,
        _doors,
        _audit,
        _addresses,
        add_directory,
        _roster,
    ):
        declare(metadata)


def _addresses(metadata: MetaData) -> None:
    Table(
        "public_address",
        metadata,
        Column("url", Text, primary_key=True),
        _when("machine_at"),
    )


def add_directory(metadata: MetaData) -> None:
    """Declare the table of the directory (`shared.directory.rows`)."""
    Table(
        "directory_resource",
        metadata,
        *_of_aggregate(),
        Column("version", Integer, nullable=False),
        _when("last_updated", null=True),
        Column("body", LargeBinary, nullable=False),
        Column("type", Text, nullable=False),
        Column("logical_id", Text, nullable=False),
        *(Column(name, Text) for name in ("name", "family", "given", "status")),
        *(Column(name, Text) for name in ("organization", "practitioner", "part_of")),
        *(_texts(name) for name in ("identifiers", "locations", "services", "specialties")),
        *(_texts(name) for name in ("categories", "codes", "characteristics")),
        UniqueConstraint("type", "logical_id", name="directory_resource_once"),
    )


def _roster(metadata: MetaData) -> None:
    Table(
        "roster",
        metadata,
        *_of_aggregate(),
        Column("site", Text, nullable=False, unique=True),
        Column("revision", BigInteger, nullable=False),
        Column("document", JSONB, nullable=False),
        _when("changed_at"),
    )


def _of_aggregate() -> Iterator[Column[object]]:
    """Give what every row has that events are published about (`shared.db.models.Aggregate`)."""
    yield Column("id", Uuid, primary_key=True)
    yield Column("event_version", Integer, nullable=False)
    yield _when("event_at", null=True)


def _texts(name: str) -> Column[object]:
    return Column(name, ARRAY(Text), nullable=False)


def _when(name: str, *, null: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=null)


def _outbox(metadata: MetaData) -> None:
    Table(
        "outbox",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("event_id", Text, nullable=False, unique=True),
        Column("topic", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("headers", JSONB, nullable=False),
        Column("value", LargeBinary, nullable=False),
        _when("machine_at"),
    )
    Table(
        "relay_epoch",
        metadata,
        Column("name", Text, primary_key=True),
        Column("epoch", BigInteger, nullable=False),
    )


def _log(metadata: MetaData) -> None:
    Table(
        "event_log",
        metadata,
        Column("topic", Text, primary_key=True),
        Column("log_offset", BigInteger, primary_key=True),
        Column("key", Text, nullable=False),
        Column("headers", JSONB, nullable=False),
        Column("value", LargeBinary, nullable=False),
        _when("machine_at"),
    )
    Table(
        "event_log_end",
        metadata,
        Column("topic", Text, primary_key=True),
        Column("next_offset", BigInteger, nullable=False),
        Column("first_offset", BigInteger, nullable=False, server_default=text("0")),
    )


def _inbox(metadata: MetaData) -> None:
    Table(
        "inbox",
        metadata,
        Column("consumer_group", Text, primary_key=True),
        Column("event_id", Text, primary_key=True),
        _when("machine_at"),
    )
    Table(
        "group_position",
        metadata,
        Column("consumer_group", Text, primary_key=True),
        Column("topic", Text, primary_key=True),
        Column("log_partition", Integer, primary_key=True),
        Column("next_offset", BigInteger, nullable=False),
    )
    Table(
        "topic_progress",
        metadata,
        Column("consumer_group", Text, primary_key=True),
        Column("topic", Text, primary_key=True),
        Column("lag", BigInteger, nullable=False),
        _when("machine_at"),
    )
    # Read and written by the version before `group_position` only; it goes with the next migration but one.
    Table(
        "consumer_position",
        metadata,
        Column("consumer_group", Text, primary_key=True),
        Column("topic", Text, primary_key=True),
        Column("next_offset", BigInteger, nullable=False),
    )


def _held(metadata: MetaData) -> None:
    Table(
        "held_key",
        metadata,
        Column("consumer_group", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("state", Text, nullable=False),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        _when("machine_since"),
        _when("machine_next_at", null=True),
        Column("waits", Integer, nullable=False, server_default=text("0")),
        Column("error", Text, nullable=False, server_default=text("''")),
    )
    Table(
        "held_event",
        metadata,
        Column("seq", BigInteger, Identity(always=True), primary_key=True),
        Column("consumer_group", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("event_id", Text, nullable=False),
        Column("topic", Text, nullable=False),
        Column("log_partition", Integer, nullable=False),
        Column("log_offset", BigInteger, nullable=False),
        Column("headers", JSONB, nullable=False),
        Column("value", LargeBinary, nullable=False),
        _when("machine_at"),
        UniqueConstraint("consumer_group", "event_id", name="held_event_once"),
        Index("held_event_by_key", "consumer_group", "key", "seq"),
    )


def _timers(metadata: MetaData) -> None:
    Table(
        "timer",
        metadata,
        Column("kind", Text, primary_key=True),
        Column("ref", Text, primary_key=True),
        _when("due_at"),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        _when("machine_next_at", null=True),
        Column("error", Text, nullable=False, server_default=text("''")),
        Index("timer_by_due", "due_at"),
    )


def _doors(metadata: MetaData) -> None:
    Table(
        "resource_version",
        metadata,
        Column("type", Text, primary_key=True),
        Column("id", Text, primary_key=True),
        Column("version", Integer, primary_key=True),
        _when("last_updated"),
        Column("body", LargeBinary, nullable=False),
    )
    Table(
        "idempotency",
        metadata,
        Column("client", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("request_hash", Text, nullable=False),
        Column("status", Integer, nullable=False),
        Column("headers", JSONB, nullable=False),
        Column("body", LargeBinary, nullable=False),
        _when("machine_at"),
        Column("about", Text),
    )


def _audit(metadata: MetaData) -> None:
    Table(
        "audit_event",
        metadata,
        Column("id", Text, primary_key=True),
        _when("recorded"),
        Column("actor", Text, nullable=False),
        Column("client", Text),
        Column("action", Text, nullable=False),
        Column("outcome", Text, nullable=False),
        Column("what", Text),
        Column("patient_id", Text),
        Column("body", LargeBinary, nullable=False),
        Column("site", Text),
        Index("audit_event_by_patient", "patient_id", "recorded"),
        Index("audit_event_by_entity", text("split_part(what, '/', 2)")),
    )
    # Of an AuditEvent about several patients; the one patient of all others stands in the event itself.
    Table(
        "audit_patient",
        metadata,
        Column("patient_id", Text, primary_key=True),
        Column("event_id", Text, primary_key=True),
    )
