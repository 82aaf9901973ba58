"""Who carries an identifier: claims and locks that let one of many senders at once be the first."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from services.referral.models import Patient, PatientIdentifier, Referral, SenderIdentifier
from shared.db import Transaction, Write

_LOCK_IDENTIFIERS = """
SELECT pg_advisory_xact_lock(lock) FROM (
    SELECT hashtextextended(token, 0) AS lock FROM unnest($1::text[]) AS token ORDER BY 1
) AS locks
"""
_CLAIM_SENDING = """
INSERT INTO sender_identifier (requester, token, referral_id)
SELECT $1, token, $2 FROM unnest($3::text[]) AS token ORDER BY token
ON CONFLICT DO NOTHING RETURNING token
"""
_SENDING = Write.into(
    "sender_identifier",
    {"requester": "text", "token": "text", "referral_id": "uuid"},
    conflict="ON CONFLICT DO NOTHING",
    claim=1,
)
_PATIENT = Write.into(
    "patient_identifier",
    {"token": "text", "patient_id": "uuid"},
    conflict="ON CONFLICT DO NOTHING",
    claim=2,
)


def claim_sending(tx: Transaction, referral: Referral, *, tokens: Sequence[str]) -> None:
    """Put the sender's identifiers down for this referral with the next writes, which fail (Outrun) where one
    is there already.
    """
    for token in dict.fromkeys(tokens):
        tx.write(_SENDING, referral.requester, token, referral.id)


def claim_new_patient(tx: Transaction, patient: Patient, *, tokens: Sequence[str]) -> None:
    """Put identifiers down for a patient that nobody knew with the next writes, which fail (Outrun) where one
    is there already.
    """
    for token in dict.fromkeys(tokens):
        tx.write(_PATIENT, token, patient.id)


async def claim_sender_identifiers(
    tx: Transaction, referral: Referral, *, tokens: Sequence[str]
) -> UUID | None:
    """Put the sender's identifiers down for this referral, or give the referral that has one of them already.

    Waits for another transaction that is putting the same one down, so that ten at once make one referral.
    """
    if not tokens:
        return None
    wanted = list(dict.fromkeys(tokens))
    connection = await tx.driver()
    put_down = await connection.fetch(_CLAIM_SENDING, referral.requester, referral.id, wanted)
    if len(put_down) == len(wanted):
        return None
    found = await tx.first(
        select(col(SenderIdentifier.referral_id)).where(
            col(SenderIdentifier.requester) == referral.requester,
            col(SenderIdentifier.token).in_(tokens),
            col(SenderIdentifier.referral_id) != referral.id,
        )
    )
    # What is new among the identifiers is another name of the referral that was sent before.
    renamed = update(SenderIdentifier).where(col(SenderIdentifier.referral_id) == referral.id)
    await tx.execute(renamed.values(referral_id=found))
    return found


async def sent_before(tx: Transaction, requester: str, *, tokens: Sequence[str]) -> UUID | None:
    """Find the referral that this requester sent under one of these identifiers."""
    return await tx.first(
        select(col(SenderIdentifier.referral_id)).where(
            col(SenderIdentifier.requester) == requester, col(SenderIdentifier.token).in_(tokens)
        )
    )


async def lock_identifiers(tx: Transaction, tokens: Sequence[str]) -> None:
    """Let one transaction at a time decide who carries these identifiers."""
    if tokens:
        await (await tx.driver()).execute(_LOCK_IDENTIFIERS, list(tokens))


async def claim_patient_identifiers(tx: Transaction, patient: Patient, *, tokens: Sequence[str]) -> None:
    """Put identifiers down for this patient; those that somebody else has stay with them."""
    if tokens:
        rows = [{"token": token, "patient_id": patient.id} for token in sorted(tokens)]
        await tx.execute(insert(PatientIdentifier).values(rows).on_conflict_do_nothing())
