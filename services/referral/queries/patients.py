"""Patients, what each sender says of them, and who carries an identifier.

Invariants:
- Who changes a patient or a source record holds the patient's lock; several are locked in order of their ids.
- A patient that was merged into another is replaced by one that is not: of records no chain is made.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from services.referral.models.rows import Patient, PatientRepublication, SourceRecord
from services.referral.models.tables import PatientTable
from services.referral.queries import scope
from shared.auth.principal import Principal
from shared.db import Outrun, Transaction, core
from shared.db.models import StoredResource, columns_of, stored_resource

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
_LOCK = "SELECT * FROM patient WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"
_LOCK_PERSON = """
SELECT id FROM patient
WHERE id = (SELECT coalesce(replaced_by, id) FROM patient WHERE id = $1) FOR NO KEY UPDATE
"""
_LOCK_AFTER = """
SELECT * FROM patient WHERE id > $1 ORDER BY id LIMIT $2 FOR NO KEY UPDATE
"""
_NO_ID = UUID(int=0)
_BEGIN = """
INSERT INTO patient_republication (name, published, is_finished) VALUES ('all', 0, true)
ON CONFLICT DO NOTHING
"""
_REPUBLICATION = "SELECT * FROM patient_republication WHERE name = 'all' FOR UPDATE"
_MERGED_INTO = "SELECT * FROM patient WHERE replaced_by = ANY($1::uuid[]) ORDER BY id"
_SOURCE_RECORD = "SELECT * FROM source_record WHERE patient_id = $1 AND requester = $2"
_DESCRIBED_WITH = """
SELECT patient.id FROM patient_identifier AS carried JOIN patient ON patient.id = carried.patient_id
WHERE carried.token = ANY($2::text[]) AND patient.requester = $1
UNION
SELECT said.patient_id FROM patient_identifier AS carried JOIN source_record AS said USING (patient_id)
WHERE carried.token = ANY($2::text[]) AND said.requester = $1 AND said.identifiers && $2::text[]
"""
_SAID = """
SELECT id, event_version, event_at, version, last_updated, body, id AS patient_id, requester, identifiers,
  family, given, birth_date, found_by
FROM patient WHERE id = ANY($1::uuid[]) AND requester = $2
UNION ALL
SELECT id, event_version, event_at, version, last_updated, body, patient_id, requester, identifiers, family,
  given, birth_date, found_by
FROM source_record WHERE patient_id = ANY($1::uuid[]) AND requester = $2
"""
_RECORDS = """
WITH person AS (SELECT coalesce(replaced_by, id) AS id FROM patient WHERE id = $1)
SELECT * FROM patient WHERE id = (SELECT id FROM person) OR replaced_by = (SELECT id FROM person) ORDER BY id
"""
_OTHER_CARRIERS = """
SELECT DISTINCT coalesce(patient.replaced_by, patient.id) AS id
FROM patient_identifier JOIN patient ON patient.id = patient_identifier.patient_id
WHERE token = ANY($1::text[]) AND coalesce(patient.replaced_by, patient.id) <> $2 ORDER BY id LIMIT $3
"""
_VERSION = "SELECT body FROM resource_version WHERE type = 'Patient' AND id = $1 AND version = $2"
_SAID_BY_OTHERS = """
SELECT body FROM patient WHERE id = $1 AND requester <> $2
UNION ALL SELECT body FROM source_record WHERE patient_id = $1 AND requester <> $2
"""
_COPY_VERSIONS = """
INSERT INTO resource_version (type, id, version, last_updated, body)
SELECT type, $2, version, last_updated, body FROM resource_version WHERE type = 'Patient' AND id = $1
"""


def has_died() -> ColumnElement[bool]:
    """Hold for the rows of `patient` of which any record of the same person says that they have died."""
    patient, record = core.columns(PatientTable), aliased(PatientTable)
    person = func.coalesce(patient.replaced_by, patient.id)
    of_person = or_(col(record.id) == person, col(record.replaced_by) == person)
    return exists(select(col(record.id)).where(of_person, col(record.deceased)))


async def who_died(tx: Transaction, ids: Collection[UUID]) -> set[UUID]:
    """Name those of these patients who have died, on whichever of their records that stands."""
    columns = core.columns(PatientTable)
    found = await tx.select(select(columns.id).where(columns.id.in_(ids), has_died()))
    return {record["id"] for record in found}


async def by_id(tx: Transaction, patient_id: UUID) -> Patient | None:
    """Read a patient."""
    return await tx.row(Patient, _BY_ID, patient_id)


async def by_identifiers(tx: Transaction, tokens: Sequence[str]) -> Sequence[Patient]:
    """Find who carries any of these identifiers."""
    return await tx.rows(Patient, _BY_IDENTIFIERS, list(tokens))


async def described_with(tx: Transaction, requester: str, tokens: Sequence[str]) -> frozenset[str]:
    """Name the patients whom this sender has described with any of these identifiers."""
    return frozenset(str(row[0]) for row in await tx.records(_DESCRIBED_WITH, requester, list(tokens)))


async def visible_to(tx: Transaction, principal: Principal, patient_id: UUID | str) -> Patient | None:
    """Find a patient that the caller may see."""
    visible = scope.patients(principal)
    return await scope.find(tx, Patient, patient_id, table=PatientTable, visible=visible)


async def claim_identifiers(tx: Transaction, patient_id: UUID, *, tokens: Sequence[str]) -> None:
    """Put identifiers down for this patient; others who carry them too keep them."""
    if tokens:
        await tx.run(_CLAIM, patient_id, list(tokens))


async def as_seen(tx: Transaction, principal: Principal, patient_id: UUID) -> StoredResource | None:
    """Find a patient as the caller sees them: a sender its own description, everybody else the clinic's."""
    wanted = select(*columns_of(scope.PATIENTS)).where(
        scope.PATIENTS.id == patient_id, scope.patients_as_seen(principal)
    )
    found = await tx.select(wanted)
    return stored_resource(found[0]) if found else None


async def lock_person(tx: Transaction, patient_id: UUID) -> None:
    """Let one transaction at a time compare a person's referrals, on whichever of their records."""
    await tx.value(_LOCK_PERSON, patient_id)


async def locked(tx: Transaction, patient_id: UUID) -> Patient:
    """Lock a patient; raises LookupError where there is none."""
    for patient in await lock_all(tx, [patient_id]):
        return patient
    raise LookupError(f"there is no patient {patient_id}")


async def locked_to_go_on(tx: Transaction, patient_id: UUID) -> Patient:
    """Lock a patient, or the record that goes on where it was merged; raises Outrun if that just changed."""
    seen = await by_id(tx, patient_id)
    ids = {patient_id} if seen is None or seen.replaced_by is None else {patient_id, seen.replaced_by}
    rows = {patient.id: patient for patient in await lock_all(tx, ids)}
    if (patient := rows.get(rows[patient_id].replaced_by or patient_id)) is None:
        raise Outrun("the patient's record was merged at this moment")
    return patient


async def lock_all(tx: Transaction, ids: Collection[UUID]) -> Sequence[Patient]:
    """Lock patients in the order of their ids, in which all do so."""
    return await tx.rows(Patient, _LOCK, list(ids))


async def locked_after(tx: Transaction, patient_id: UUID | None, *, limit: int) -> Sequence[Patient]:
    """Lock the next so many patients in the order of their ids, from the first on where none is named."""
    return await tx.rows(Patient, _LOCK_AFTER, patient_id or _NO_ID, limit)


async def republication(tx: Transaction) -> PatientRepublication:
    """Lock what says how far all patients were published again."""
    await tx.run(_BEGIN)
    run = await tx.row(PatientRepublication, _REPUBLICATION)
    if run is None:
        raise LookupError("the row that was just inserted is there")
    return run


async def merged_into(tx: Transaction, ids: Collection[UUID]) -> Sequence[Patient]:
    """List the records that were merged into one of these."""
    return await tx.rows(Patient, _MERGED_INTO, list(ids))


async def records(tx: Transaction, patient_id: UUID) -> Sequence[Patient]:
    """Read every record of the person of whom this patient is one."""
    return await tx.rows(Patient, _RECORDS, patient_id)


async def other_carriers(
    tx: Transaction, tokens: Sequence[str], *, but: Patient, limit: int
) -> tuple[UUID, ...]:
    """Find other people who carry one of these identifiers, at most so many."""
    found = await tx.records(_OTHER_CARRIERS, list(tokens), but.replaced_by or but.id, limit)
    return tuple(record["id"] for record in found)


async def source_record(tx: Transaction, patient_id: UUID, requester: str) -> SourceRecord | None:
    """Find what a sender says of a patient, where it is kept beside the clinic's own row."""
    return await tx.row(SourceRecord, _SOURCE_RECORD, patient_id, requester)


async def said_of(tx: Transaction, ids: Collection[UUID], *, requester: str) -> list[SourceRecord]:
    """Read what this sender itself has said of these patients, wherever it is kept."""
    return await tx.rows(SourceRecord, _SAID, list(ids), requester)


async def said_by_others(tx: Transaction, patient_id: UUID, *, but: str) -> list[bytes]:
    """Read what every other sender has said of a patient."""
    return [record["body"] for record in await tx.records(_SAID_BY_OTHERS, patient_id, but)]


async def version_of(tx: Transaction, patient: Patient, version: int) -> bytes:
    """Read an earlier version of the clinic's row."""
    found: bytes | None = await tx.value(_VERSION, str(patient.id), version)
    return found or patient.body


async def copy_versions(tx: Transaction, patient_id: UUID, *, to: UUID) -> None:
    """Give a source record the earlier versions of the patient's row from which it is split off."""
    await tx.run(_COPY_VERSIONS, str(patient_id), str(to))
