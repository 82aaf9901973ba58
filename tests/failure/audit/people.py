"""I12: each sender reads of a patient what it said itself, and the records of one person stay together."""

from collections.abc import AsyncIterator

from tests.failure.audit.evidence import Evidence

# Who has referred a patient and has no description of them to read.
_WITHOUT_WORDS = (
    "SELECT DISTINCT p.id::text AS id, r.requester FROM referral r JOIN patient p ON p.id = r.patient_id"
    " WHERE p.requester IS DISTINCT FROM r.requester AND NOT EXISTS (SELECT FROM source_record s"
    " WHERE s.patient_id = p.id AND s.requester = r.requester)"
)
_TWO_DESCRIPTIONS = (
    "SELECT p.id::text AS id, p.requester FROM patient p JOIN source_record s"
    " ON s.patient_id = p.id AND s.requester = p.requester"
)
# What was stated of a patient, and does not find them.
_NOT_FOUND_BY = (
    "SELECT p.id::text AS id FROM patient p, unnest(p.identifiers) AS stated (token)"
    " WHERE NOT EXISTS"
    " (SELECT FROM patient_identifier i WHERE i.patient_id = p.id AND i.token = stated.token)"
    " UNION SELECT s.patient_id::text FROM source_record s JOIN patient p ON p.id = s.patient_id"
    " WHERE NOT s.identifiers <@ p.identifiers"
)
_CHAINS = (
    "SELECT p.id::text AS id FROM patient p JOIN patient q ON q.id = p.replaced_by"
    " WHERE q.replaced_by IS NOT NULL OR p.replaced_at IS NULL OR p.replaced_from >= p.version"
)
_SAID = "SELECT id::text AS id, event_version, deceased, replaced_by::text AS replaced_by FROM patient"
_KNOWN = "SELECT id, event_version, is_deceased, replaced_by FROM known_patient"


async def people(evidence: Evidence) -> AsyncIterator[str]:
    """Hold patients, what their senders said and what scheduling knows of them against each other."""
    for row in await evidence.rows("referral", _WITHOUT_WORDS):
        yield f"I12: {row['requester']} has referred the patient {row['id']} and has nothing to read"
    for row in await evidence.rows("referral", _TWO_DESCRIPTIONS):
        yield f"I12: {row['requester']} has described the patient {row['id']} twice"
    for row in await evidence.rows("referral", _NOT_FOUND_BY):
        yield f"I12: the patient {row['id']} is not found by what was stated of them"
    for row in await evidence.rows("referral", _CHAINS):
        yield f"I12: the patient {row['id']} is not as the record that goes on"
    said = {row["id"]: row for row in await evidence.rows("referral", _SAID)}
    for row in await evidence.rows("scheduling", _KNOWN):
        now = said.get(row["id"])
        knows = row["event_version"], row["is_deceased"], row["replaced_by"]
        if now is None or knows != (now["event_version"], now["deceased"], now["replaced_by"]):
            yield f"I12: scheduling knows the patient {row['id']} otherwise"
