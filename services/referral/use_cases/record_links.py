"""What merging and unmerging the records of a person have in common: whom they reach, and what they write."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from services.referral import fhir, queries
from services.referral.models.rows import Patient
from services.referral.use_cases import describe_patient, patient_events, record, referral_file
from services.referral.use_cases.changes import Changes
from shared.context import Context
from shared.db import Outrun, Transaction
from shared.errors import NotFound
from shared.fhir import store


async def of_caller(
    ctx: Context, tx: Transaction, patient_id: str, *, expression: str | None = None
) -> Patient:
    """Read a patient whom the caller may see; raises NotFound."""
    found = await queries.patients.visible_to(tx, ctx.caller, patient_id)
    if found is None:
        raise NotFound(f"there is no Patient {patient_id[:64]}", expression=expression)
    return found


async def load_files(ctx: Context, tx: Transaction, referral_ids: Collection[UUID]) -> list[Changes]:
    """Lock referrals, before their patients, in the order in which all do so; give them the oldest first."""
    locked = await queries.referrals.lock_all(tx, referral_ids)
    files = [Changes(ctx, await referral_file.load(tx, referral)) for referral in locked]
    return sorted(files, key=lambda changes: (changes.referral.sent_at, changes.referral.id))


def check_complete(locked: Collection[UUID], now: Collection[UUID]) -> None:
    """Raise Outrun where a referral came while the patients were not locked yet."""
    if set(now) - set(locked):
        raise Outrun("a referral of this patient came at this moment: try again")


async def write(
    ctx: Context, tx: Transaction, patient: Patient, members: Mapping[str, Any], **columns: Any
) -> None:
    """Write the clinic's row with its links, and publish it; its first sender keeps what it said."""
    await describe_patient.separate(tx, patient)
    await store.update(tx, patient, patient.body, at=ctx.at, overlay=members, **columns)
    await patient_events.publish_change(ctx, tx, patient)


async def write_provenance(
    ctx: Context, tx: Transaction, patients: tuple[Patient, Patient], *, activity: str, why: str
) -> None:
    """Store who linked or unlinked the records, and why, with the newest referral of each: no sender's."""
    body = fhir.provenance.link_provenance(ctx, patients, activity=activity, why=why)
    for patient in patients:
        newest = await queries.referrals.newest_of(tx, patient.id)
        if newest is not None:
            row = referral_file.of_the_clinic("Provenance", newest, clinic=ctx.clinic)
            await store.insert(tx, row, body, at=ctx.at)


async def write_files(ctx: Context, tx: Transaction, files: Sequence[Changes]) -> None:
    """Write the Tasks that were opened and ended, of the referrals that have any."""
    for changes in files:
        if changes.announcements or changes.tasks:
            await record.run(ctx, tx, changes)
