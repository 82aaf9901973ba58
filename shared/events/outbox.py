"""The outbox: a queue, never a cursor.

Invariants:
- `publish` only inserts, in the caller's transaction, next to the row that caused the event. It never sends.
- The aggregate's row was inserted in this transaction or is locked FOR UPDATE, so that id order in the outbox
  is version order per aggregate: an earlier version is always committed before a later one.
- `version` is dense: 1, 2, 3 for each aggregate; two events of one command get two versions.
- A row leaves the outbox only after the transport has it for good (`shared/events/relay.py`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.act import Act
from shared.db import AggregateRow, Transaction
from shared.events.catalog import EventType

Resource = Mapping[str, Any] | bytes


def publish(
    tx: Transaction,
    event_type: EventType,
    *,
    of: AggregateRow,
    key: str,
    focus: Resource,
    carries: Sequence[Resource] = (),
    act: Act,
) -> str:
    """Put an event into the outbox and give its id; the aggregate `of` gets its next event version.

    `key` is the patient's id (the aggregate's own id for a type keyed by its aggregate), `focus` and
    `carries` are FHIR resources as dicts or as the bytes they are stored in. Raises ValueError when the focus
    or a carried resource is not of a type that the catalog names.
    """
    raise NotImplementedError
