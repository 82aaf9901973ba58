"""I14: nobody is told two days for one visit: it is booked once, and no other time of it goes unsaid."""

from collections import Counter
from collections.abc import AsyncIterator
from itertools import groupby, pairwise

import msgspec

from tests.failure.audit.evidence import Evidence
from tests.support.history import versions_of
from tests.support.sql import sql

# A visit stands anew where its status was corrected, and has another time where it was moved.
_BOOKED, _ANEW, _MOVED = "appointment.booked", "appointment.corrected", "appointment.moved"
_WRONG_DAY = """
SELECT a.id::text AS id FROM telling_task t JOIN appointment a ON a.id = t.appointment_id
WHERE t.status = 'requested' AND (
  a.starts_at <> t.starts_at
  OR (a.status = 'cancelled' AND NOT t.because @> '[{"code": "cancellation-not-told"}]')
  OR a.status NOT IN ('booked', 'cancelled')
)
"""


async def days(evidence: Evidence) -> AsyncIterator[str]:
    """Hold the times of each visit against the events that said them, and whom to tell against the visits."""
    said: dict[str, set[str]] = {}
    for record in evidence.published.get("scheduling", ()):
        said.setdefault(f"{record.type} {record.subject}", set()).add(record.event_id)
    counted = Counter({name: len(ids) for name, ids in said.items()})
    for name, times in counted.items():
        kind, _, subject = name.partition(" ")
        if kind == _BOOKED and times > 1 + counted[f"{_ANEW} {subject}"]:
            yield f"I14: {subject} was booked {times} times"
    async for visit, moves in _moves(evidence):
        if moves > counted[f"{_MOVED} {visit}"] + counted[f"{_ANEW} {visit}"]:
            yield f"I14: {visit} got another time {moves} times, and not each was said"
    for row in await evidence.rows("scheduling", _WRONG_DAY):
        yield f"I14: somebody is to be told another time of {row['id']} than it has"


async def _moves(evidence: Evidence) -> AsyncIterator[tuple[str, int]]:
    """Count for each visit how often it got another start while it was booked."""
    database = evidence.databases["scheduling"]
    every = await versions_of(database)
    async with database.transaction() as tx:
        of_visits = f"SELECT id, body FROM ({every}) AS every WHERE type = 'Appointment' ORDER BY id, version"
        rows = (await sql(tx, of_visits)).all()
    for id, history in groupby(rows, key=lambda row: row.id):
        bodies = [msgspec.json.decode(row.body) for row in history]
        booked = [(body["status"], body.get("start")) for body in bodies]
        moves = sum(now[0] == then[0] == "booked" and now[1] != then[1] for now, then in pairwise(booked))
        yield f"Appointment/{id}", moves
