"""Patients, referrals and what came with them, by what is looked for."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from services.referral.models import Enclosure, Patient, PatientIdentifier, Referral
from services.referral.queries import scope
from services.referral.states import OPEN
from shared.auth.principal import Principal
from shared.db import Transaction


async def patients_by_identifiers(tx: Transaction, tokens: Sequence[str]) -> Sequence[Patient]:
    """Find who carries any of these identifiers."""
    holders = select(col(PatientIdentifier.patient_id)).where(col(PatientIdentifier.token).in_(tokens))
    return await tx.all(select(Patient).where(col(Patient.id).in_(holders)).order_by(col(Patient.id)))


async def patient_visible_to(tx: Transaction, principal: Principal, patient_id: UUID) -> Patient | None:
    """Find a patient that the caller may see."""
    return await tx.first(select(Patient).where(col(Patient.id) == patient_id, scope.patients(principal)))


async def referral_visible_to(tx: Transaction, principal: Principal, referral_id: UUID) -> Referral | None:
    """Find a referral that the caller may see, locked."""
    return await tx.first(
        select(Referral)
        .where(col(Referral.id) == referral_id, scope.referrals(principal))
        .with_for_update()
        .execution_options(populate_existing=True)
    )


async def lock_patient(tx: Transaction, patient_id: UUID) -> None:
    """Let one transaction at a time compare a patient's referrals.

    Not FOR UPDATE: a new referral holds its patient by the foreign key, and two would wait for each other.
    """
    if tx.is_new(Patient, patient_id):
        return
    await tx.all(select(col(Patient.id)).where(col(Patient.id) == patient_id).with_for_update(key_share=True))


async def open_referrals(
    tx: Transaction, patient_id: UUID, *, since: datetime, but: UUID
) -> Sequence[Referral]:
    """List the patient's open referrals that were sent since then, the oldest first."""
    if tx.is_new(Patient, patient_id):
        return ()
    return await tx.all(
        select(Referral)
        .where(
            col(Referral.patient_id) == patient_id,
            col(Referral.id) != but,
            col(Referral.sent_at) >= since,
            col(Referral.state).in_(OPEN),
        )
        .order_by(col(Referral.sent_at), col(Referral.id))
    )


async def enclosures_of(tx: Transaction, referral_id: UUID) -> Sequence[Enclosure]:
    """List what came with a referral, in the order of arrival."""
    return await tx.all(
        select(Enclosure).where(col(Enclosure.referral_id) == referral_id).order_by(col(Enclosure.id))
    )


async def enclosures_by_id(tx: Transaction, ids: Sequence[UUID]) -> Sequence[Enclosure]:
    """List enclosures by their ids."""
    return await tx.all(select(Enclosure).where(col(Enclosure.id).in_(ids)))
