"""The links of messages to patients: found by the hash of their secret, locked while they are answered."""

from collections.abc import Collection, Mapping
from datetime import datetime

from services.notifications.models.rows import PatientChoice, PatientLink
from shared.db import Transaction

_LOCKED = "SELECT * FROM patient_link WHERE mark = $1 FOR UPDATE"
# A visit is answered once, by whichever of its messages: a reminder finds what the confirmation was told.
_ANSWERED = """
SELECT * FROM patient_link
WHERE visit_id = $1 AND starts_at = $2 AND answer IS NOT NULL ORDER BY answered_at DESC LIMIT 1
"""
# An attempt that failed has a link too: only what was taken has told anybody.
_OFFERED = """
SELECT DISTINCT offer_id FROM notification
WHERE offer_id = ANY($1::text[]) AND event_type = 'offer.made' AND status = 'completed'
"""
_CHOICES = "SELECT * FROM patient_choice WHERE patient_id = ANY($1::text[])"


async def offered(tx: Transaction, offers: Collection[str]) -> frozenset[str]:
    """Return those of these offers of which a message reached the patient."""
    rows = await tx.records(_OFFERED, list(offers)) if offers else []
    return frozenset(row["offer_id"] for row in rows)


async def locked(tx: Transaction, mark: bytes) -> PatientLink | None:
    """Lock the link that has this mark."""
    return await tx.row(PatientLink, _LOCKED, mark)


async def answered(tx: Transaction, visit_id: str, *, starts_at: datetime) -> PatientLink | None:
    """Find the link by which a visit at this time was answered last."""
    return await tx.row(PatientLink, _ANSWERED, visit_id, starts_at)


async def choices(tx: Transaction, patients: Collection[str]) -> Mapping[str, PatientChoice]:
    """Read how these patients want to be reminded: those who have said it."""
    rows = await tx.rows(PatientChoice, _CHOICES, list(patients)) if patients else []
    return {row.patient_id: row for row in rows}
