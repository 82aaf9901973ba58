"""I5: nobody and nothing is in two places at one time, and what stands booked is what is taken."""

from collections.abc import AsyncIterator

from tests.failure.audit.evidence import Evidence

_TAKEN_TWICE = (
    "SELECT a.appointment::text AS one, b.appointment::text AS other FROM occupancy a JOIN occupancy b"
    " ON a.resource = b.resource AND a.during && b.during AND a.appointment < b.appointment"
    " WHERE a.live AND b.live"
)
# The appointments themselves, should the table of what is taken be wrong.
_TWO_PLACES = (
    "SELECT a.id::text AS one, b.id::text AS other FROM appointment a JOIN appointment b"
    " ON a.id < b.id AND tstzrange(a.starts_at, a.ends_at) && tstzrange(b.starts_at, b.ends_at)"
    " AND (a.practitioner = b.practitioner OR a.room = b.room OR a.patient_id = b.patient_id)"
    " WHERE a.status IN ('booked', 'arrived') AND b.status IN ('booked', 'arrived')"
)
_TAKEN = (
    "SELECT id::text AS id, status, (SELECT count(*) FROM occupancy o WHERE o.appointment = a.id"
    " AND o.live AND o.during = tstzrange(a.starts_at, a.ends_at)) AS taken,"
    " (SELECT count(*) FROM occupancy o WHERE o.appointment = a.id AND o.live) AS live FROM appointment a"
)
_TAKES = {"booked": 3, "arrived": 3, "waitlist": 0, "cancelled": 0, "noshow": 0}


async def occupied(evidence: Evidence) -> AsyncIterator[str]:
    """Hold the calendar against itself."""
    for statement in (_TAKEN_TWICE, _TWO_PLACES):
        for row in await evidence.rows("scheduling", statement):
            yield f"I5: the appointments {row['one']} and {row['other']} share somebody or something"
    for row in await evidence.rows("scheduling", _TAKEN):
        wanted = _TAKES.get(row["status"])
        if wanted is not None and (row["taken"], row["live"]) != (wanted, wanted):
            yield f"I5: the {row['status']} appointment {row['id']} takes {row['taken']} of {wanted}"
