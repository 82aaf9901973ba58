"""Patients, and who carries an identifier."""

from collections.abc import Sequence
from uuid import UUID

from services.referral.models.rows import Patient
from services.referral.models.tables import PatientTable
from services.referral.queries import scope
from shared.auth.principal import Principal
from shared.db import Transaction

_BY_ID = "SELECT * FROM patient WHERE id = $1"
_BY_IDENTIFIERS = """
SELECT * FROM patient
WHERE id IN (SELECT patient_id FROM patient_identifier WHERE token = ANY($1::text[])) ORDER BY id
"""
_CLAIM = """
INSERT INTO patient_identifier (token, patient_id)
SELECT token, $1 FROM unnest($2::text[]) AS token ORDER BY token ON CONFLICT DO NOTHING
"""
# Not FOR UPDATE: a new referral holds its patient by the foreign key, and two would wait for each other.
_LOCK = "SELECT id FROM patient WHERE id = $1 FOR NO KEY UPDATE"


async def by_id(tx: Transaction, patient_id: UUID) -> Patient | None:
    """Read a patient."""
    return await tx.row(Patient, _BY_ID, patient_id)


async def by_identifiers(tx: Transaction, tokens: Sequence[str]) -> Sequence[Patient]:
    """Find who carries any of these identifiers."""
    return await tx.rows(Patient, _BY_IDENTIFIERS, list(tokens))


async def visible_to(tx: Transaction, principal: Principal, patient_id: UUID) -> Patient | None:
    """Find a patient that the caller may see."""
    visible = scope.patients(principal)
    return await scope.find(tx, Patient, patient_id, table=PatientTable, visible=visible)


async def claim_identifiers(tx: Transaction, patient_id: UUID, *, tokens: Sequence[str]) -> None:
    """Put identifiers down for this patient; others who carry them too keep them."""
    if tokens:
        await tx.run(_CLAIM, patient_id, list(tokens))


async def lock(tx: Transaction, patient_id: UUID) -> None:
    """Let one transaction at a time compare a patient's referrals."""
    await tx.value(_LOCK, patient_id)
