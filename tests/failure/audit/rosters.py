"""I13: nobody keeps a visit with somebody who is not there unasked; every service has the newest roster."""

from collections.abc import AsyncIterator

from tests.failure.audit.evidence import Evidence

_ROSTERS = "SELECT site, revision, document FROM roster"
# What is to come, as of the newest thing that scheduling wrote; what a Task names is asked about.
_UNASKED = """
SELECT a.id::text AS id FROM appointment a
WHERE a.status = 'booked' AND a.starts_at > (SELECT max(last_updated) FROM appointment)
  AND NOT EXISTS (SELECT FROM replan_task t WHERE t.site = a.site AND (t.status = 'requested' OR t.is_settled)
    AND t.visits @> jsonb_build_array(jsonb_build_object('appointment', a.id::text)))
  AND (
    EXISTS (SELECT FROM unavailable_time u
      WHERE u.site = a.site AND u.status = 'busy-unavailable'
        AND (u.person = a.practitioner OR u.person IS NULL)
        AND u.starts_at < a.ends_at AND a.starts_at < u.ends_at)
    OR NOT EXISTS (SELECT FROM roster r, jsonb_array_elements(r.document -> 'people') AS person
      WHERE r.site = a.site AND person ->> 'id' = a.practitioner)
  )
"""


async def rosters(evidence: Evidence) -> AsyncIterator[str]:
    """Hold the visits against the roster, and the copies of the roster against it."""
    for row in await evidence.rows("scheduling", _UNASKED):
        yield f"I13: the visit {row['id']} is with somebody who is not there, and nobody is asked"
    kept = await _of(evidence, "scheduling")
    for service in ("referral", "careteam", "notifications"):
        if await _of(evidence, service) != kept:
            yield f"I13: {service} has another roster than scheduling"


async def _of(evidence: Evidence, service: str) -> dict[str, tuple[int, object]]:
    """Read the revision and the roster of each site, as a service keeps them."""
    found = await evidence.rows(service, _ROSTERS)
    return {row["site"]: (row["revision"], row["document"]) for row in found}
