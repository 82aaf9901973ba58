"""Visits as `scheduling` said of them last: what a patient's messages and links are about."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from services.notifications.models.rows import KnownOffer, KnownVisit
from shared.db import Transaction

# Another time and the end each count on: calendars then know the newer word.
_LEARN = """
INSERT INTO known_visit (id, referral_id, patient_id, site, kind, practitioner, room,
                         starts_at, ends_at, status, sequence)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)
ON CONFLICT (id) DO UPDATE SET site = excluded.site, kind = excluded.kind,
  practitioner = excluded.practitioner, room = excluded.room, starts_at = excluded.starts_at,
  ends_at = excluded.ends_at, status = excluded.status,
  sequence = known_visit.sequence + (
    (known_visit.starts_at, known_visit.ends_at, known_visit.status = 'cancelled')
    IS DISTINCT FROM (excluded.starts_at, excluded.ends_at, excluded.status = 'cancelled'))::integer
"""
_NAMED = "SELECT * FROM known_visit WHERE id = ANY($1::text[])"
_OFFERS = "SELECT * FROM known_offer WHERE id = ANY($1::text[])"
_OFFER_LOCKED = "SELECT * FROM known_offer WHERE id = $1 FOR UPDATE"
_LOCKED = "SELECT * FROM known_visit WHERE id = $1 FOR UPDATE"
_TO_COME = """
SELECT * FROM known_visit
WHERE referral_id = $1 AND status = 'booked' AND starts_at > $2 ORDER BY starts_at, id
"""
_OF_PATIENT = """
SELECT * FROM known_visit
WHERE patient_id = $1 AND status = 'booked' AND starts_at > $2 ORDER BY starts_at, id
"""
# Whom a morning is to remind, and has not yet; a choice of the patient's says on which days.
_TO_REMIND = """
SELECT visit.* FROM known_visit visit
JOIN known_patient patient ON patient.id = visit.patient_id
LEFT JOIN patient_choice choice ON choice.patient_id = visit.patient_id
WHERE visit.site = $1 AND visit.status = 'booked' AND visit.starts_at >= $2 AND visit.starts_at < $3
  AND jsonb_array_length(patient.channel_consents) > 0
  AND (choice.patient_id IS NULL OR choice.reminder_days @> to_jsonb($4::integer))
  AND visit.id > $5
ORDER BY visit.id LIMIT $6
"""


async def learn(tx: Transaction, said: Sequence[KnownVisit]) -> None:
    """Remember what was said of visits, in the order in which it was said."""
    await tx.run_many(
        _LEARN,
        [
            (
                *(visit.id, visit.referral_id, visit.patient_id, visit.site, visit.kind),
                *(visit.practitioner, visit.room, visit.starts_at, visit.ends_at, visit.status),
            )
            for visit in said
        ],
    )


async def named(tx: Transaction, ids: Collection[str]) -> Mapping[str, KnownVisit]:
    """Read these visits by their ids; nothing is asked where none is named."""
    rows = await tx.rows(KnownVisit, _NAMED, list(ids)) if ids else []
    return {row.id: row for row in rows}


async def offers(tx: Transaction, ids: Collection[str]) -> Mapping[str, KnownOffer]:
    """Read these offers by their ids; nothing is asked where none is named."""
    rows = await tx.rows(KnownOffer, _OFFERS, list(ids)) if ids else []
    return {row.id: row for row in rows}


async def offer_locked(tx: Transaction, offer_id: str) -> KnownOffer | None:
    """Lock an offer while it is answered."""
    return await tx.row(KnownOffer, _OFFER_LOCKED, offer_id)


async def locked(tx: Transaction, visit_id: str) -> KnownVisit | None:
    """Lock a visit while it is answered, so that one answer comes after another."""
    return await tx.row(KnownVisit, _LOCKED, visit_id)


async def to_come(tx: Transaction, referral_id: str, *, now: datetime) -> Sequence[KnownVisit]:
    """List the booked visits of a referral that are still to come."""
    return await tx.rows(KnownVisit, _TO_COME, referral_id, now)


async def of_patient(tx: Transaction, patient_id: str, *, now: datetime) -> Sequence[KnownVisit]:
    """List the booked visits of a patient that are still to come."""
    return await tx.rows(KnownVisit, _OF_PATIENT, patient_id, now)


async def to_remind(
    tx: Transaction, *, site: str, between: tuple[datetime, datetime], days: int, after: str, limit: int
) -> Sequence[KnownVisit]:
    """List visits of a site between two moments whose patients may be written to and want this reminder."""
    return await tx.rows(KnownVisit, _TO_REMIND, site, *between, days, after, limit)
