"""No index holds a text that a caller can make longer than an entry of an index: 2,704 bytes."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Column, MetaData, String, Table
from sqlalchemy.types import ARRAY, TypeDecorator

from deploy.services import SERVICES, metadata
from shared.auth.people.models import IdentityBase
from shared.fhir.check.schema import words
from shared.indexed_text import LONGEST

MOST_BYTES = 2_704
# What is in an entry beside its texts: its header, ids, times and alignment.
_BESIDE = 64
# `system|value` and its like; four bytes are the most that a character takes.
_TEXT, _TOKEN = LONGEST * 4, 2 * LONGEST * 4 + 1
FROM_CALLERS = {
    "patient_identifier.token": _TOKEN,
    "sender_identifier.token": _TOKEN,
    "directory_entry.token": _TOKEN,
    "referral.identifiers": _TOKEN,
    "enclosure.identifiers": _TOKEN,
    "patient.found_by": _TOKEN + len("identifier:"),
    "source_record.found_by": _TOKEN + len("identifier:"),
    "claim.members": _TEXT,
    "idempotency.key": LONGEST * 2,  # a header is Latin-1
    "used_assertion.jti": _TEXT,
    "public_address.url": _TEXT,  # the operator's
    "sign_in_session.issuer": _TEXT,  # the operator's
    "invited_person.login": _TEXT,
    "sign_in_session.subject": LONGEST * 4,  # of the clinic's own issuer, held to this length
}
# Marks (SHA-256), ids of clinic.yaml and of resources (64 characters at most), codes of closed tables, names
# of our own. Of
# an AuditEvent's patient only what has the form of an id is taken from a query.
OURS = words(
    "audience called channel chair claim_id client code colleagues consumer_group discipline event_id"
    " event_key id instrument key kind logical_id name need offer_id owner patient_id payer person"
    " practitioner questionnaire recipient ref referral_id requester resource reviewers site state status"
    " subject target team topic type"
)


def texts(metadata: MetaData) -> Iterator[tuple[Table, list[Column]]]:
    """Give each index and key with its columns that hold text."""
    for table in metadata.tables.values():
        keys = [list(index.columns) for index in table.indexes]
        keys += [list(found.columns) for found in table.constraints if hasattr(found, "columns")]
        for columns in keys:
            if found := [column for column in columns if _is_text(column)]:
                yield table, found


def _is_text(column: Column) -> bool:
    kind = column.type.item_type if isinstance(column.type, ARRAY) else column.type
    return isinstance(kind.impl_instance if isinstance(kind, TypeDecorator) else kind, String)


def unbounded(metadata: MetaData) -> list[str]:
    """Name the indexes of which nobody has said what fills them, or that a caller can overfill."""
    found = []
    for table, columns in texts(metadata):
        names = [f"{table.name}.{column.name}" for column in columns]
        sizes = [FROM_CALLERS.get(name, 64 if name.partition(".")[2] in OURS else None) for name in names]
        if None in sizes:
            found.append(f"{', '.join(names)}: what fills it?")
        elif sum(size or 0 for size in sizes) + _BESIDE > MOST_BYTES:
            found.append(f"{', '.join(names)}: too long")
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_every_indexed_text_of_a_service_is_bounded(service: str) -> None:
    assert unbounded(metadata(service)) == []


def test_every_indexed_text_of_the_issuer_is_bounded() -> None:
    assert unbounded(IdentityBase.metadata) == []


def test_a_planted_text_is_seen() -> None:
    planted = MetaData()
    Table("letter", planted, Column("greeting", String, primary_key=True))
    assert unbounded(planted) == ["letter.greeting: what fills it?"]
