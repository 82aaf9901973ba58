"""Times that patients gave up, and what they and others have then."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from services.scheduling.models.rows import GivenUpTime
from services.scheduling.models.spans import Span, Taken
from shared.db import Transaction

_KEEP = """
INSERT INTO given_up_time (patient_id, resource, starts_at, ends_at) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
"""
_TAKE_BACK = """
DELETE FROM given_up_time
WHERE patient_id = $1 AND resource = ANY($2::text[]) AND starts_at < $4 AND ends_at > $3
"""
_TAKEN_OR_GIVEN_UP = """
SELECT NULL AS patient, resource.id, lower(during) AS starts, upper(during) AS ends
FROM resource JOIN occupancy
  ON int4range(occupancy.resource, occupancy.resource, '[]')
     && int4range(resource.number, resource.number, '[]')
 AND during && tstzrange($3, $4, '[)') AND live AND (until IS NULL OR until > $5)
WHERE resource.id = ANY($1::text[])
UNION ALL
SELECT patient_id, resource, starts_at, ends_at FROM given_up_time
WHERE patient_id = ANY($2::text[]) AND starts_at < $4 AND ends_at > $3
"""


async def keep(tx: Transaction, times: Iterable[GivenUpTime]) -> None:
    """Remember times that were given up."""
    rows = [(time.patient_id, time.resource, time.starts_at, time.ends_at) for time in times]
    await tx.run_many(_KEEP, rows)


async def take_back(tx: Transaction, patient_id: str, *, resources: Sequence[str], span: Span) -> None:
    """Forget what was given up of these resources at a time that is chosen after all."""
    await tx.run(_TAKE_BACK, patient_id, list(resources), *span)


async def and_taken(
    tx: Transaction, resources: Collection[str], *, patients: Collection[str], window: Span, at: datetime
) -> tuple[Taken, dict[str, Taken]]:
    """Read what is taken of these resources inside a window at a moment, and what these patients gave up."""
    taken: dict[str, list[Span]] = defaultdict(list)
    given_up: dict[str, dict[str, list[Span]]] = defaultdict(lambda: defaultdict(list))
    if window.start < window.end:
        asked = (sorted(resources), sorted(patients), *window, at)
        for record in await tx.records(_TAKEN_OR_GIVEN_UP, *asked):
            of = taken if record["patient"] is None else given_up[record["patient"]]
            of[record["id"]].append(Span(record["starts"], record["ends"]))
    return taken, dict(given_up)
