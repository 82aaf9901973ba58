"""I16: a freed time that is offered is held for those who are asked, and one of them has it at most."""

from collections import Counter
from collections.abc import AsyncIterator

from tests.failure.audit.evidence import Evidence

_ROUNDS = (
    "SELECT r.id::text AS id, r.status, r.group_session IS NOT NULL AS is_seat,"
    " r.seat IS NOT NULL AS has_seat,"
    " 1 + cardinality(r.colleagues) + cardinality(r.equipment) + (r.room IS NOT NULL)::int AS needed,"
    " (SELECT count(*) FROM occupancy o WHERE o.appointment = r.id AND o.live) AS held,"
    " (SELECT count(*) FROM occupancy o WHERE o.appointment = r.id AND o.live"
    "   AND o.during @> tstzrange(r.starts_at, r.ends_at)) AS taken,"
    " (SELECT count(*) FROM offer f WHERE f.round_id = r.id AND f.status = 'requested') AS asked,"
    " (SELECT count(*) FROM offer f WHERE f.round_id = r.id AND f.status = 'completed') AS yes,"
    " EXISTS (SELECT FROM timer WHERE kind = 'ask-next' AND ref = r.id::text) AS goes_on"
    " FROM offer_round r"
)
_TOO_MANY = (
    "SELECT s.id::text AS id FROM group_session s WHERE s.status = 'open' AND s.seats <"
    " (SELECT count(*) FROM appointment a WHERE a.group_session = s.id AND a.status <> 'cancelled')"
    " + (SELECT count(*) FROM offer_round r WHERE r.group_session = s.id AND r.status = 'open'"
    "     AND r.seat IS NOT NULL)"
)
_TAKEN = "SELECT id::text AS id FROM offer WHERE status = 'completed'"
# An offer that is open is about a visit that is booked for the time of which its patient was told.
_OF_NO_VISIT = (
    "SELECT f.id::text AS id FROM offer f LEFT JOIN appointment a ON a.id = f.appointment_id"
    " WHERE f.status = 'requested' AND (a.id IS NULL OR a.status <> 'booked' OR a.starts_at <> f.had_start)"
)


async def offers(evidence: Evidence) -> AsyncIterator[str]:
    """Hold each freed time against what is held for it, its answers, and what was told of them."""
    for row in await evidence.rows("scheduling", _ROUNDS):
        holds = bool(row["has_seat"] if row["is_seat"] else row["held"])
        if row["status"] != "open" and (holds or row["asked"]):
            yield f"I16: the freed time {row['id']} is over, and somebody is asked or it is held"
        if row["asked"] and not holds:
            yield f"I16: the freed time {row['id']} is offered and not held"
        if row["held"] and not row["is_seat"] and (row["held"], row["taken"]) != (row["needed"],) * 2:
            yield f"I16: the freed time {row['id']} holds something else than it is"
        if row["yes"] != (row["status"] == "taken"):
            yield f"I16: the freed time {row['id']} is {row['status']} and {row['yes']} took it"
        if row["status"] == "open" and not row["goes_on"]:
            yield f"I16: the freed time {row['id']} waits for nothing"
    for row in await evidence.rows("scheduling", _TOO_MANY):
        yield f"I16: more seats of {row['id']} are booked and offered than there are"
    for row in await evidence.rows("scheduling", _OF_NO_VISIT):
        yield f"I16: the offer {row['id']} is about another visit than there is"
    async for finding in _told(evidence):
        yield finding


async def _told(evidence: Evidence) -> AsyncIterator[str]:
    """Hold who was told that a time is theirs against who took one."""
    taken = {f"Task/{row['id']}" for row in await evidence.rows("scheduling", _TAKEN)}
    said = {
        (record.subject, record.event_id)
        for record in evidence.published.get("scheduling", ())
        if record.type == "offer.accepted"
    }
    counted = Counter(subject for subject, _ in said)
    for subject in sorted(counted.keys() | taken):
        if counted[subject] != (subject in taken):
            yield f"I16: {subject} took a time {int(subject in taken)} times and was told {counted[subject]}"
