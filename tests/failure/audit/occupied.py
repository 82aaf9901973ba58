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
    " AND ((a.practitioner = b.practitioner"
    "       AND a.overbooked_because IS NULL AND b.overbooked_because IS NULL)"
    "      OR a.room = b.room OR a.patient_id = b.patient_id)"
    " AND (a.group_session IS DISTINCT FROM b.group_session OR a.group_session IS NULL)"
    " WHERE a.status IN ('booked', 'arrived', 'checked-in')"
    " AND b.status IN ('booked', 'arrived', 'checked-in')"
)
# A visit takes clinicians, patient, room and equipment, and all but the patient around it too.
_TAKEN = (
    "SELECT id::text AS id, status, (SELECT count(*) FROM occupancy o WHERE o.appointment = a.id"
    " AND o.live AND o.during @> tstzrange(a.starts_at, a.ends_at)) AS taken,"
    " (SELECT count(*) FROM occupancy o WHERE o.appointment = a.id AND o.live) AS live,"
    " CASE WHEN group_session IS NOT NULL THEN 1"
    " ELSE 2 + cardinality(colleagues) + cardinality(equipment) + (room IS NOT NULL)::int END AS needed"
    " FROM appointment a"
)
_TAKES_ALL, _TAKES_NOTHING = (
    ("booked", "arrived", "checked-in"),
    ("waitlist", "proposed", "cancelled", "noshow"),
)
# A hold ends by its timer, and what it took until then with it.
_ENDLESS_HOLDS = (
    "SELECT id::text AS id FROM appointment a WHERE status = 'pending' AND NOT EXISTS"
    " (SELECT FROM timer WHERE kind = 'expire-hold' AND ref = a.id::text)"
)
# A session takes its time once while it is open, and nothing any more after that.
_GROUPS = (
    "SELECT id::text AS id, status, (SELECT count(*) FROM occupancy o WHERE o.appointment = g.id AND o.live)"
    " AS live, 1 + cardinality(colleagues) + cardinality(equipment) + (room IS NOT NULL)::int AS needed"
    " FROM group_session g WHERE held_until IS NULL"
)
_OUTLIVED_HOLDS = (
    "SELECT DISTINCT a.id::text AS id FROM appointment a JOIN occupancy o ON o.appointment = a.id"
    " WHERE o.live AND o.until IS NOT NULL AND a.status <> 'pending'"
)


async def occupied(evidence: Evidence) -> AsyncIterator[str]:
    """Hold the calendar against itself."""
    for statement in (_TAKEN_TWICE, _TWO_PLACES):
        for row in await evidence.rows("scheduling", statement):
            yield f"I5: the appointments {row['one']} and {row['other']} share somebody or something"
    for row in await evidence.rows("scheduling", _TAKEN):
        if row["status"] not in (*_TAKES_ALL, *_TAKES_NOTHING):
            continue
        wanted = row["needed"] if row["status"] in _TAKES_ALL else 0
        if (row["taken"], row["live"]) != (wanted, wanted):
            yield f"I5: the {row['status']} appointment {row['id']} takes {row['taken']} of {wanted}"
    for row in await evidence.rows("scheduling", _GROUPS):
        if row["live"] != (row["needed"] if row["status"] == "open" else 0):
            yield f"I5: the {row['status']} group session {row['id']} takes {row['live']} of {row['needed']}"
    for row in await evidence.rows("scheduling", _ENDLESS_HOLDS):
        yield f"I5: nothing ends the hold {row['id']}"
    for row in await evidence.rows("scheduling", _OUTLIVED_HOLDS):
        yield f"I5: what {row['id']} held is taken although it is held no more"
